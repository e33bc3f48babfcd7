"""What retention rules do here: statements go, or lead to nobody any more."""
