"""Entity tags and preconditions (1.0.3 Communication 3.1; 2.0 4.1.4; RFC 9110 13.1), without I/O."""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from service_kit.problems import Problem

ANY: Final = "*"
_TAG: Final = re.compile(r'\s*(?:(W/)?"([^"]*)"|([^\s",]+))\s*(?:,|\Z)')


class PreconditionFailed(Problem):
    status, slug, title = 412, "precondition-failed", "The document is not in the state that the request names"


def tag_of(content: bytes) -> str:
    """The SHA-1 of the content in lower-case hexadecimal: 1.0.3 demands it, 2.0 leaves the choice."""
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Conditions:
    """If-Match and If-None-Match of a request, as they were sent."""

    match: str | None = None
    none_match: str | None = None

    @property
    def are_given(self) -> bool:
        return self.match is not None or self.none_match is not None

    def check(self, tag: str | None) -> None:
        """`tag` is that of the document, None where there is none. Raises `PreconditionFailed`."""
        if self.match is not None and not _holds(self.match, tag, weak=False):
            detail = "has another ETag" if tag else "does not exist"
            raise _failed("If-Match", f"The document {detail}: fetch it, then send its current ETag as If-Match")
        if self.none_match is not None and _holds(self.none_match, tag, weak=True):
            raise _failed("If-None-Match", "The document exists: fetch it, then send its current ETag as If-Match")

    def is_known(self, tag: str) -> bool:
        """Whether the sender of a GET holds this very content already."""
        return self.none_match is not None and _holds(self.none_match, tag, weak=True)


def _holds(header: str, tag: str | None, *, weak: bool) -> bool:
    """Whether the header names the tag. Tags without quotes, as old clients send them, count as quoted."""
    if tag is None:
        return False
    if header.strip() == ANY:
        return True
    found = _TAG.findall(header)
    return any((quoted or bare) == tag and (weak or not is_weak) for is_weak, quoted, bare in found)


def _failed(header: str, detail: str) -> PreconditionFailed:
    return PreconditionFailed(detail, errors=[{"parameter": header, "in": "header", "detail": detail}])
