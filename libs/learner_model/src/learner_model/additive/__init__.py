"""The additive online model: what is common to learners in weights, what is a learner's own in a small memory."""
