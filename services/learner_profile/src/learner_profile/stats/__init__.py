"""Counts for operators."""
