"""A record taken in: statements to ingest, the state and the credentials beside the learner's own numbers."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final
from uuid import UUID

from service_kit.clock import Clock
from service_kit.mongo import Client, Session, in_transaction
from service_kit.peers import Peers
from service_kit.problems import BadRequest

from learner_profile.records.reading import Brought, achievements, opened
from learner_profile.records.repository import ClaimRepository
from learner_profile.records.schemas import (
    AgentTaken,
    Claim,
    CredentialRefused,
    Imported,
    StatementRefused,
    StatementsTaken,
)
from learner_profile.records.trusting import TrustedIssuers

AT_ONCE: Final = 200
MOST_TOLD: Final = 100


@dataclass(frozen=True)
class Importing:
    client: Client
    claims: ClaimRepository
    issuers: TrustedIssuers
    peers: Peers
    clock: Clock

    async def take(self, tenant: str, learner: str, body: bytes, *, may_profile: bool) -> Imported:
        """Take what can be taken; repeatable. Raises `BadRequest`, `PeerAway`, `PeerRefuses`."""
        brought = await opened(body, self.issuers)
        good, refused = await achievements(brought, self.issuers)
        try:
            claim = self._claim(brought, good)
            agents, statements = await self._statements(tenant, learner, brought)
        except ValueError:  # signed, and still nothing that can be read
            raise BadRequest("What the record holds cannot be read") from None
        state = claim is not None and may_profile
        if claim is not None and may_profile:
            await self._keep(tenant, learner, claim)
        taken = Imported(
            record=brought.id,
            issuer=brought.issuer,
            issued_at=brought.issued_at,
            learner_id=UUID(learner),
            identifiers=agents,
            statements=statements,
            state=state,
            credentials=len(good) if state else 0,
            credentials_refused=[CredentialRefused(file=file, reason=why) for file, why in refused.items()],
            in_words=[],
        )
        return taken.model_copy(update={"in_words": in_words(taken)})

    async def _statements(
        self, tenant: str, learner: str, brought: Brought
    ) -> tuple[list[AgentTaken], StatementsTaken]:
        taken = StatementsTaken(accepted=0, not_recorded=0, refused=[])
        agents: list[AgentTaken] = []
        for start, statements in _chunks(brought.statements()):
            body = {"issuer": brought.issuer, "agents": list(brought.agents), "statements": statements}
            answer = await self.peers.post("ingest", tenant, learner, "records", body)
            agents = [AgentTaken.model_validate(one) for one in answer["identifiers"]]
            taken.accepted += answer["accepted"]
            taken.not_recorded += answer["not_recorded"]
            room = MOST_TOLD - len(taken.refused)
            told = answer["refused"][:room]
            taken.refused += [StatementRefused(line=start + one["line"], reason=one["reason"]) for one in told]
        return agents, taken

    def _claim(self, brought: Brought, credentials: Sequence[dict[str, Any]]) -> Claim | None:
        state = brought.state()
        if state is None:
            return None
        said = {
            "record": brought.id,
            "issuer": brought.issuer,
            "issuer_name": brought.issuer_name,
            "issued_at": brought.issued_at,
            "imported_at": self.clock(),
            "competencies": state.get("competencies", []),
            "credentials": list(credentials),
        }
        return Claim.model_validate(said)

    async def _keep(self, tenant: str, learner: str, claim: Claim) -> None:
        async def put(session: Session) -> None:
            await self.claims.put(tenant, learner, claim.record, claim.model_dump(mode="json"), session)

        await in_transaction(self.client, put)


def in_words(taken: Imported) -> list[str]:
    """Plainly what was taken and what was not."""
    statements, others = taken.statements, [one for one in taken.identifiers if not one.taken]
    said = [
        f"{statements.accepted} statements are here: those that the record brought are marked as imported, and each "
        "counts half; those that were here before stay as they were."
    ]
    if statements.not_recorded:
        said.append(f"{statements.not_recorded} statements were left out: the learner does not allow `record`.")
    if statements.refused:
        said.append("Some statements were not taken; `statements.refused` says which, and why.")
    if others:
        said.append(f"{len(others)} identifiers are somebody's here already; if it is the same person, merge them.")
    if taken.state:
        said.append("The state is shown as claimed elsewhere. It is no part of the learner's own numbers.")
    else:
        said.append("No state was taken.")
    if taken.credentials_refused:
        said.append(f"{len(taken.credentials_refused)} credentials were not taken.")
    return said


def _chunks(lines: Iterator[Any]) -> Iterator[tuple[int, list[Any]]]:
    """The statements, some at a time, with the number of the first; one empty chunk where there are none."""
    start = 0
    while chunk := list(islice(lines, AT_ONCE)):
        yield start, chunk
        start += len(chunk)
    if start == 0:
        yield 0, []


def known(claims: Iterable[dict[str, Any]]) -> list[Claim]:
    return [Claim.model_validate(one) for one in claims]
