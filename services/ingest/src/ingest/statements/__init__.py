"""Statements: received, recorded, read, relayed."""
