"""Data subjects' requests and how far they have come."""
