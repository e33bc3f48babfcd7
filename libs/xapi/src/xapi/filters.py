"""The parameters of GET /statements (1.0.3 Communication 2.1.3; 2.0 4.1.6.1) as a checked object."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .parsing import JsonObject
from .versions import Version

Format = Literal["exact", "ids", "canonical"]


@dataclass(frozen=True, slots=True)
class StatementQuery:
    """A valid query. UUIDs are lower case, times aware and UTC, `limit` 0 means the server's maximum."""

    statement_id: str | None = None
    voided_statement_id: str | None = None
    agent: JsonObject | None = None
    agent_ifi: str | None = None
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

    @classmethod
    def parse(cls, params: Iterable[tuple[str, str]], version: Version = Version.V2_0_0) -> "StatementQuery":
        """From decoded pairs (Starlette: `request.query_params.multi_items()`). Raises QueryInvalid.

        `cursor`-like parameters of one's own are to be taken out before: any unknown name is refused.
        """
        raise NotImplementedError
