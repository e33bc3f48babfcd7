"""Learner states as learner_profile publishes them."""
