"""What can go wrong when xAPI is read.

XapiError
├── StatementInvalid     a statement, batch or agent breaks the standard (400)
├── QueryInvalid         GET /statements parameters break the standard (400)
└── VersionUnsupported   the X-Experience-API-Version header is missing or unknown (400)

Every reason is written for the developer of the sender: what was expected, and what kind of thing was found. Values are
never echoed, since they may be personal.
"""

from dataclasses import dataclass
from typing import NamedTuple


class Problem(NamedTuple):
    """One broken rule: a JSON pointer (RFC 6901) into the body, or the parameter's name, and the reason in words."""

    path: str
    reason: str


class XapiError(Exception):
    """The root of this package's errors."""


@dataclass
class StatementInvalid(XapiError):
    """At least one rule is broken. `errors` is never empty."""

    errors: tuple[Problem, ...]

    def __str__(self) -> str:
        return "; ".join(f"{p.path or '(body)'}: {p.reason}" for p in self.errors)


@dataclass
class QueryInvalid(XapiError):
    """A parameter is refused. `errors` is never empty; a path is a parameter's name (inside: `agent/mbox`)."""

    errors: tuple[Problem, ...]

    def __str__(self) -> str:
        return "; ".join(f"{p.path}: {p.reason}" for p in self.errors)


@dataclass
class VersionUnsupported(XapiError):
    """The request names no version of xAPI that is spoken here."""

    reason: str

    def __str__(self) -> str:
        return self.reason
