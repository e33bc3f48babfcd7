"""Decisions of learners on purposes, their history, and how far they are enforced."""
