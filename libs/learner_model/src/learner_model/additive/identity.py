"""What an item or skill is called inside the model."""

from functools import lru_cache
from hashlib import blake2b


@lru_cache(maxsize=65_536)
def identity(name: str) -> int:
    """The 32-bit identity of an item or skill, the same in every process."""
    return int.from_bytes(blake2b(name.encode(), digest_size=4).digest(), "little")
