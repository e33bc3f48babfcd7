"""Rosters and learner states into reports for teachers and authorities."""
