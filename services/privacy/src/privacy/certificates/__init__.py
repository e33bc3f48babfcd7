"""What privacy signs for the learner: that a request was carried out, or why it was not."""
