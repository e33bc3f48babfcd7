"""The service's own view of the frameworks: which competency is a part of which."""
