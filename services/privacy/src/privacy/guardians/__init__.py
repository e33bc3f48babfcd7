"""Guardians: who acts for a minor, through a verified link that ends when the tenant's pack says so."""
