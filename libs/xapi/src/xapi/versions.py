"""Versions of xAPI and the negotiation by header (1.0.3 Communication 3.3; 2.0 4.1.5.4)."""

import re
from enum import StrEnum
from typing import Final

from .errors import VersionUnsupported

HEADER: Final = "X-Experience-API-Version"
_SUPPORTED: Final = "1.0, 1.0.0 to 1.0.3 (any 1.0.x) and 2.0.0 (any 2.0.x)"


class Version(StrEnum):
    """The two dialects. The value is what a response's version header says."""

    V1_0_3 = "1.0.3"
    V2_0_0 = "2.0.0"

    @property
    def is_2(self) -> bool:
        """Whether this is the dialect of IEEE 9274.1.1 (2.0)."""
        return self is Version.V2_0_0


ABOUT_VERSIONS: Final = ("1.0.0", "1.0.1", "1.0.2", "1.0.3", "2.0.0")
"""What GET /about lists."""

_V1 = re.compile(r"1\.0(\.[0-9]+)?\Z")
_V2 = re.compile(r"2\.0(\.[0-9]+)?\Z")


def negotiate(header: str | None) -> Version:
    """The dialect of a request by its X-Experience-API-Version header; raises VersionUnsupported (400).

    "1.0" counts as 1.0.0, and every patch of 1.0 is accepted (1.0.3 Communication 3.3: the LRS accepts any 1.0.x).
    """
    if header is None:
        raise VersionUnsupported(f"The header {HEADER} is missing; expected {_SUPPORTED}")
    value = header.strip()
    if _V1.match(value):
        return Version.V1_0_3
    if _V2.match(value):
        return Version.V2_0_0
    raise VersionUnsupported(f"The header {HEADER} names a version not spoken here; expected {_SUPPORTED}")
