"""What the roster says of people: who is a learner, who teaches whom."""
