"""What teachers say of a learner's competency in the place of the model's figure."""
