"""Bytes are made small before they are sealed: no database and no broker can do so afterwards.

Zstandard (RFC 8878) with a dictionary of xAPI's own words, without which a single statement has little that repeats.
The frame names its dictionary; that one stays as it is for ever, since what is kept needs it.
"""

from importlib import resources
from typing import Final

from zstandard import ZstdCompressionDict, ZstdCompressor, ZstdDecompressor

LEVEL: Final = 1
LEAST: Final = 128
"""Bytes; what is shorter gains nothing."""
MOST: Final = 64 * 1024
"""Bytes; what is longer is an attachment's, and most of these are compressed already."""
_MAGIC: Final = b"\x28\xb5\x2f\xfd"
DICTIONARY: Final = resources.files(__package__).joinpath("dictionary-1.zstd").read_bytes()
_DICTIONARY: Final = ZstdCompressionDict(DICTIONARY)
_COMPRESSOR: Final = ZstdCompressor(level=LEVEL, dict_data=_DICTIONARY, write_checksum=False)  # AES-GCM has its tag
_DECOMPRESSOR: Final = ZstdDecompressor(dict_data=_DICTIONARY)


def is_long_frame(data: bytes) -> bool:
    """Whether the bytes begin as a frame does and are too long to be made one: nothing would tell them from ours.

    What is long keeps its length, since chunks of an attachment are found by it.
    """
    return len(data) > MOST and data.startswith(_MAGIC)


def compressed(data: bytes) -> bytes:
    """A frame, or the bytes as they are where a frame would be no shorter. Not for what `is_long_frame`."""
    looks_so = data.startswith(_MAGIC)
    if not looks_so and not LEAST <= len(data) <= MOST:
        return data
    frame = _COMPRESSOR.compress(data)
    return frame if looks_so or len(frame) < len(data) else data


def decompressed(data: bytes) -> bytes:
    """What was given to `compressed`."""
    return _DECOMPRESSOR.decompress(data) if data.startswith(_MAGIC) else data
