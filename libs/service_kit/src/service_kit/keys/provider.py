"""The port to whoever holds the bucket keys: a file on one machine (`file`), HashiCorp Vault beyond (`vault`).

A bucket key wraps the data keys of up to a thousand learners and never leaves its provider. What a bucket key has
wrapped can be opened as long as the bucket key exists: to destroy one is to forget whoever was not wrapped anew.
"""

from collections.abc import Sequence
from typing import Protocol

from events.errors import EventsError
from events.sealing import KeysAway

Named = tuple[str, bytes]
"""A data key's name, which is authenticated with it, and the key: plain to wrap, wrapped to unwrap."""


class BucketGone(EventsError):
    """There is no such bucket key (any more)."""


class ProviderAway(KeysAway):
    """The key provider does not answer, or not as it should."""


class WrongKey(EventsError):
    """A wrapped key was changed, or belongs to another name or bucket."""


class KeyProvider(Protocol):
    """All raise `ProviderAway`. Services unwrap; privacy alone creates and destroys."""

    async def create(self, bucket: str) -> None:
        """Make a bucket key; one that is there already stays."""
        ...

    async def wrap(self, bucket: str, keys: Sequence[Named]) -> list[bytes]:
        """Wrap data keys; same order. Raises `BucketGone`."""
        ...

    async def unwrap(self, bucket: str, keys: Sequence[Named]) -> list[bytes]:
        """Open wrapped data keys; same order. Raises `BucketGone`, `WrongKey`."""
        ...

    async def destroy(self, bucket: str) -> None:
        """Destroy a bucket key for good; return when that is durable. One that is gone already stays so."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
