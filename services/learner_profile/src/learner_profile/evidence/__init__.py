"""Rows of evidence: one for each statement about a learner."""
