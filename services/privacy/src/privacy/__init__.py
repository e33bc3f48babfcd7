"""Policies, consent and data-subject requests."""
