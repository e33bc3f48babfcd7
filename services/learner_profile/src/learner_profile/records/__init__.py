"""A learner's record to take along, and records that were brought from elsewhere."""
