"""One competency of a learner: its page, how it grew, and a teacher's word on it."""
