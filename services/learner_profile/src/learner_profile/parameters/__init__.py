"""What is common to learners: versions of the model's parameters, trained, published, and folded with."""
