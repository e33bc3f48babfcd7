"""The record of processing activities (GDPR 30), made from the tenant's policy."""
