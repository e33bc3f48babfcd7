"""ISO 8601 durations."""


def seconds(text: str) -> float:
    """The duration in seconds (a year as 365.25 days, a month as its twelfth); raises ValueError with the reason."""
    raise NotImplementedError
