"""Counts of a tenant."""
