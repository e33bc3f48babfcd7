"""What a learner's own page needs, as data and as a page: what is held, why, who saw it, what can be changed."""
