"""What `trellis eval` ends with in one line."""


class UnreadableAnswers(Exception):
    """A file that is not there or not in the format."""
