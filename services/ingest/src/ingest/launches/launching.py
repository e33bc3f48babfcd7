"""Make a launch: whose it is, what it may, and what cmi5 wants written before."""

import base64
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import orjson
from service_kit.clock import Clock
from service_kit.problems import BadRequest
from uuid_utils.compat import uuid7
from xapi import Parsed, StatementInvalid, Version, canonical_ifi, parse_agent, parse_statement
from xapi.parsing import JsonObject

from ingest.credentials.credential import Credential
from ingest.credentials.limits import LAUNCH_DATA, Limits
from ingest.credentials.secrets import digest, new_secret
from ingest.documents.conditions import Conditions
from ingest.documents.keeping import Keeper
from ingest.documents.kinds import STATE, Place
from ingest.documents.writing import JSON, Content, Write
from ingest.identities.resolving import Resolver
from ingest.launches import cmi5
from ingest.launches.repository import PREFIX, LaunchRepository, NewlyLaunched
from ingest.launches.schemas import NewLaunch
from ingest.statements.recording import Recorder


@dataclass(frozen=True, slots=True)
class Launched:
    """`fetch_secret` belongs into the fetch URL, `token` behind `Authorization: Basic `."""

    launch: NewlyLaunched
    actor: JsonObject
    token: str
    fetch_secret: str
    session: str | None
    not_recorded: int


@dataclass(frozen=True)
class Launcher:
    launches: LaunchRepository
    identities: Resolver
    documents: Keeper
    recorder: Recorder
    clock: Clock

    async def launch(self, issuer: Credential, body: NewLaunch) -> Launched:
        """Keep the launch and write what cmi5 wants. Raises `BadRequest` and whatever recording raises."""
        _check(body)
        actor, ifi = _actor(body)
        registration = str(body.registration or uuid4())
        session = None if body.cmi5 is None else body.cmi5.sessionId or str(uuid4())
        statement = _launched(body, actor, registration, session, self.clock)
        resolved, _ = await self.identities.resolve(issuer.tenant, [ifi], subjects=[ifi], fresh=True)
        secret, fetch_secret, launch_id = new_secret(), new_secret(), f"{PREFIX}.{uuid7()}"
        launch = NewlyLaunched(
            id=launch_id,
            tenant=issuer.tenant,
            learner=resolved[ifi].learner,
            issuer=issuer,
            expires_at=self.clock() + timedelta(seconds=body.lifetime_seconds),
            digest=digest(secret),
            fetch_digest=digest(fetch_secret),
            limits=Limits(launch_id, ifi, body.activityId, registration),
        )
        await self.launches.add(launch)  # first, for until it is told nobody can use it
        not_recorded = 0
        if body.cmi5 is not None and session is not None and statement is not None:
            data = cmi5.launch_data(body.cmi5, session)
            not_recorded = await self._write(issuer, launch.limits, actor, data, statement)
        return Launched(launch, actor, token_of(launch_id, secret), fetch_secret, session, not_recorded)

    async def _write(
        self, issuer: Credential, limits: Limits, actor: JsonObject, data: JsonObject, statement: Parsed
    ) -> int:
        """The launch data, then the statement; how many of the two were not recorded."""
        place = Place(STATE, limits.activity, actor, limits.registration, LAUNCH_DATA)
        write = Write("PUT", Conditions(), Content(orjson.dumps(data), JSON))
        kept = await self.documents.write(issuer.tenant, place, write)
        recorded = await self.recorder.record(issuer, Version.V1_0_3, [statement], is_array=False)
        return recorded.not_recorded + (0 if kept else 1)


def token_of(launch: str, secret: str) -> str:
    """What stands behind `Basic ` (cmi5 8.2.1; RFC 7617)."""
    return base64.b64encode(f"{launch}:{secret}".encode()).decode()


def _check(body: NewLaunch) -> None:
    taken = [] if body.au_url is None else cmi5.taken_parameters(body.au_url)
    if taken:
        raise _wrong("/au_url", f"has parameters of its own that the launch needs: {', '.join(taken)}")
    if body.cmi5 is None:
        return
    if body.au_url is None:
        raise _wrong("/au_url", "is required with cmi5, and missing")
    if body.cmi5.publisherId == body.activityId:
        raise _wrong("/activityId", "expected an id that is not the publisher's (cmi5 8.1.5)")
    if (score := body.cmi5.masteryScore) is not None and round(score, 4) != score:
        raise _wrong("/cmi5/masteryScore", "expected up to four decimals")
    for name in ("contextActivities", "extensions"):
        if not isinstance(body.cmi5.contextTemplate.get(name, {}), dict):
            raise _wrong(f"/cmi5/contextTemplate/{name}", "expected an object, found another value")


def _actor(body: NewLaunch) -> tuple[JsonObject, str]:
    try:
        actor = parse_agent(body.actor)
    except StatementInvalid as error:
        raise _wrong(f"/actor{error.errors[0].path}", error.errors[0].reason) from None
    if actor.get("objectType") == "Group":
        raise _wrong("/actor", "expected an Agent, found a Group")
    if body.cmi5 is not None and "account" not in actor:
        raise _wrong("/actor", "expected an account (cmi5 9.2)")
    return actor, str(canonical_ifi(actor))


def _launched(
    body: NewLaunch, actor: JsonObject, registration: str, session: str | None, clock: Clock
) -> Parsed | None:
    """The statement, checked: what the LMS has put into the context may be wrong."""
    if body.cmi5 is None or session is None:
        return None
    raw = cmi5.launched(
        body.cmi5,
        session,
        actor=actor,
        activity=body.activityId,
        registration=registration,
        au_url=str(body.au_url),
        now=clock(),
    )
    try:
        return parse_statement(raw, Version.V1_0_3)
    except StatementInvalid as error:
        place = error.errors[0].path.replace("/context/", "/cmi5/contextTemplate/", 1)
        raise _wrong(place, error.errors[0].reason) from None


def _wrong(pointer: str, detail: str) -> BadRequest:
    return BadRequest(f"Wrong input at {pointer}: {detail}", errors=[{"pointer": pointer, "detail": detail}])
