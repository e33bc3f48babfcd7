"""Everything that is held on a learner, collected from every service into one ZIP, for the learner."""
