"""What retention rules do here: evidence goes, and where they say so, what it had added up to stays."""
