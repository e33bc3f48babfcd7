"""A learner's statements published once more, since they may be used again: what was removed is built from them."""
