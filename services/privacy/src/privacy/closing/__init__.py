"""A tenant leaves: everything is exported, a waiting period, then all learners are erased; one signed certificate."""
