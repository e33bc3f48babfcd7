"""What a learner takes along: credentials of learner_profile, signed with the installation's key."""
