"""The parameters of GET /statements (1.0.3 Communication 2.1.3; 2.0 4.1.6.1) as a checked object."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, Literal

from . import models, timestamps
from .errors import Problem, QueryInvalid, StatementInvalid
from .identifiers import canonical_ifi
from .parsing import JsonObject, parse_agent
from .versions import Version

Format = Literal["exact", "ids", "canonical"]


@dataclass(frozen=True, slots=True)
class StatementQuery:
    """A valid query. UUIDs are lower case, times aware and UTC, `limit` 0 means the server's maximum.

    `since` is exclusive, `until` inclusive, both on `stored`.
    """

    statement_id: str | None = None
    voided_statement_id: str | None = None
    agent: JsonObject | None = None
    verb: str | None = None
    activity: str | None = None
    registration: str | None = None
    related_activities: bool = False
    related_agents: bool = False
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 0
    format: Format = "exact"
    attachments: bool = False
    ascending: bool = False

    @property
    def is_single(self) -> bool:
        """Whether one statement is asked for by its id."""
        return self.statement_id is not None or self.voided_statement_id is not None

    @property
    def agent_ifi(self) -> str | None:
        """The canonical identifier of `agent`."""
        return None if self.agent is None else canonical_ifi(self.agent)

    @classmethod
    def parse(cls, params: Iterable[tuple[str, str]], version: Version = Version.V2_0_0) -> "StatementQuery":
        """From decoded pairs (Starlette: `request.query_params.multi_items()`). Raises QueryInvalid.

        Any unknown name is refused, so parameters of one's own (a cursor) are to be taken out before.
        """
        readers = _readers(version)
        values: dict[str, Any] = {}
        problems: list[Problem] = []
        for name, text in params:
            if name not in readers:
                problems.append(Problem(name, "is not a parameter of this resource (names are case sensitive)"))
                continue
            field, read = readers[name]
            if field in values:
                problems.append(Problem(name, "expected at most once, found twice"))
            try:
                values[field] = read(text)
            except StatementInvalid as invalid:
                problems += (Problem(f"{name}{p.path}", p.reason) for p in invalid.errors)
                values[field] = None
            except ValueError as error:
                problems.append(Problem(name, str(error)))
                values[field] = None
        if problems := problems or list(_together(values)):
            raise QueryInvalid(tuple(problems))
        return cls(**values)


def _together(values: dict[str, Any]) -> Iterable[Problem]:
    """An id goes with attachments and format alone (Communication 2.1.3)."""
    if "statement_id" in values and "voided_statement_id" in values:
        yield Problem("voidedStatementId", "is not used together with statementId")
    elif single := {"statement_id", "voided_statement_id"} & values.keys():
        name = "statementId" if "statement_id" in single else "voidedStatementId"
        for field in values.keys() - single - {"attachments", "format"}:
            yield Problem(field, f"is not used together with {name}; only attachments and format are")


def _matching(pattern: str, expected: str) -> Callable[[str], str]:
    compiled = re.compile(pattern.removesuffix("$") + r"\Z")

    def read(text: str) -> str:
        if compiled.match(text) is None:
            raise ValueError(f"expected {expected}, found another value")
        return text

    return read


_iri: Final = _matching(models.IRI, "an IRI with a scheme (RFC 3987)")
_uuid_text: Final = _matching(models.UUID, "a UUID in its standard form (RFC 4122)")
_limit_text: Final = _matching(r"[0-9]{1,9}", "a whole number from 0 to 999999999")


def _uuid(text: str) -> str:
    return _uuid_text(text).lower()


def _limit(text: str) -> int:
    return int(_limit_text(text))


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("expected true or false, found another value")
    return text == "true"


def _format(text: str) -> str:
    if text not in ("exact", "ids", "canonical"):
        raise ValueError("expected exact, ids or canonical, found another value")
    return text


def _readers(version: Version) -> dict[str, tuple[str, Callable[[str], Any]]]:
    """Parameter → field and how it is read."""
    moment = partial(timestamps.parse, rfc3339=version.is_2)
    return {
        "statementId": ("statement_id", _uuid),
        "voidedStatementId": ("voided_statement_id", _uuid),
        "agent": ("agent", partial(parse_agent, version=version)),
        "verb": ("verb", _iri),
        "activity": ("activity", _iri),
        "registration": ("registration", _uuid),
        "related_activities": ("related_activities", _boolean),
        "related_agents": ("related_agents", _boolean),
        "since": ("since", moment),
        "until": ("until", moment),
        "limit": ("limit", _limit),
        "format": ("format", _format),
        "attachments": ("attachments", _boolean),
        "ascending": ("ascending", _boolean),
    }
