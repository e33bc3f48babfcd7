"""Who is who: from an identifier to a random agent and a random learner."""
