"""Statements into the learner's state."""
