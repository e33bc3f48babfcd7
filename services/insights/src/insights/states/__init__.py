"""Learners' states as they come from Kafka, kept small enough to reckon a nation from."""
