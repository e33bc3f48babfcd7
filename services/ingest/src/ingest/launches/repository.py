"""The collection `launches`.

`{_id, tenant, learner, issued_by, expires_at, digest, fetch_digest, fetched_digest?, bytes, key}`: the sealed bytes
hold the actor's identifier, the activity, the registration and the issuer's account. `digest` is that of the token
given to the server, `fetched_digest` that of the one given to the browser, `fetch_digest` that of the secret in the URL
which gives it. A launch is kept for an hour after its end, to say that it has expired.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

import orjson
from events.sealing import KeyGone, Owner, Sealed, Sealer
from service_kit.mongo import ASCENDING, Collection, CollectionSpec, Database, Document, Index, Session

from ingest.credentials.credential import Account, Credential, Known, Secret
from ingest.credentials.limits import Limits
from ingest.credentials.schemas import Scope

PREFIX: Final = "launch"
SCOPES: Final = frozenset({Scope.statements_write, Scope.state, Scope.profile})
KEPT_SECONDS: Final = 3600
LAUNCHES: Final = CollectionSpec(
    "launches",
    "source",
    (
        Index((("tenant", ASCENDING), ("learner", ASCENDING))),
        Index((("tenant", ASCENDING), ("issued_by", ASCENDING))),
        Index((("expires_at", ASCENDING),), expire_after_seconds=KEPT_SECONDS),
    ),
)


@dataclass(frozen=True, slots=True)
class NewlyLaunched:
    """A launch to keep. Its id begins with `launch.`, so that no look-up takes it for a credential's."""

    id: str
    tenant: str
    learner: str
    issuer: Credential
    expires_at: datetime
    digest: str
    fetch_digest: str
    limits: Limits


class LaunchRepository:
    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._collection: Collection = db[LAUNCHES.name]
        self._sealer = sealer

    async def add(self, launch: NewlyLaunched) -> None:
        limits = launch.limits
        body = {
            "actor": limits.actor,
            "activity": limits.activity,
            "registration": limits.registration,
            "account": asdict(launch.issuer.account),
        }
        (sealed,) = await self._sealer.seal([(Owner(launch.tenant, launch.learner), orjson.dumps(body))])
        await self._collection.insert_one(
            {
                "_id": launch.id,
                "tenant": launch.tenant,
                "learner": launch.learner,
                "issued_by": launch.issuer.key,
                "expires_at": launch.expires_at,
                "digest": launch.digest,
                "fetch_digest": launch.fetch_digest,
                "bytes": sealed.data,
                "key": sealed.key,
            }
        )

    async def known(self, launch: str) -> Known | None:
        """By its id alone: it is the launch that says which tenant calls."""
        found = await self._collection.find_one({"_id": launch})
        if found is None:
            return None
        try:
            (opened,) = await self._sealer.open([Sealed(found["bytes"], found["key"])])
        except KeyGone:
            return None
        return _known(found, opened)

    async def fetch(self, launch: str, fetch_digest: str, token_digest: str, now: datetime) -> bool | None:
        """Whether the token is now the launch's: not a second time, nor after its end. None: no such launch."""
        where: Document = {"_id": launch, "fetch_digest": fetch_digest}
        unused: Document = {"fetched_digest": {"$exists": False}, "expires_at": {"$gt": now}}
        result = await self._collection.update_one(where | unused, {"$set": {"fetched_digest": token_digest}})
        if result.matched_count == 1:
            return True
        return None if await self._collection.find_one(where, {"_id": 1}) is None else False

    async def remove(self, tenant: str, launch: str) -> bool:
        return (await self._collection.delete_one({"_id": launch, "tenant": tenant})).deleted_count == 1

    async def remove_issued_by(self, tenant: str, key: str) -> int:
        return (await self._collection.delete_many({"tenant": tenant, "issued_by": key})).deleted_count

    async def forget(self, tenant: str, learner: str, session: Session) -> int:
        """Delete a learner's launches; how many there were."""
        where = {"tenant": tenant, "learner": learner}
        return (await self._collection.delete_many(where, session=session)).deleted_count


def _known(document: Document, opened: bytes) -> Known:
    body = orjson.loads(opened)
    limits = Limits(document["_id"], body["actor"], body["activity"], body["registration"])
    credential = Credential(
        document["issued_by"], document["tenant"], SCOPES, Account(**body["account"]), limits=limits
    )
    digests = [document["digest"], document.get("fetched_digest")]
    secrets = tuple(Secret(digest) for digest in digests if digest is not None)
    return Known(document["_id"], credential, secrets, document["expires_at"])
