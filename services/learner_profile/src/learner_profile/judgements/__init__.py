"""What people say of a piece of evidence: the learner contests it, a teacher confirms or overrides it."""
