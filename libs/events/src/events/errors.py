"""What can go wrong with a message.

EventsError
├── InvalidMessage   this message can never be handled: to the dead letters
│   └── Forgotten    it is about a learner whose key is destroyed: it is passed over
├── NotReady         a view or a dependency is missing for now: wait, do not drop
├── Fenced           another worker has taken the partition: forget the batch
├── TooManyInvalid   so many invalid messages that the fault is ours: stop the worker
└── PartitionsDiffer the broker's topic has another number of partitions than the contract
"""


class EventsError(Exception):
    """Root of this package's errors."""


class InvalidMessage(EventsError):
    """A message that cannot be handled, now or later; `reason` holds no personal data."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Forgotten(InvalidMessage):
    """A message about a learner whose key is destroyed: nobody can read it any more, and nobody should."""


class NotReady(EventsError):
    """Something the handler needs is not there yet; the same batch is tried again after a pause."""


class Fenced(EventsError):
    """The stored position is not the one this worker read: someone else has moved it."""


class TooManyInvalid(EventsError):
    """The bound on invalid messages is exceeded."""


class PartitionsDiffer(EventsError):
    """A topic exists with another number of partitions; records would be found under other keys."""
