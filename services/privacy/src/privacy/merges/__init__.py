"""Learners who are one person: their decisions, requests and guardians are one person's."""
