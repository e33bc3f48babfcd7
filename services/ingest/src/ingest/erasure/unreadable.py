"""Forget a learner whose key is destroyed already: after a restore nothing sealed says any more what was the learner's.

What stands there in the clear must do: the name of the key. This looks through whole collections, and is rare.
"""

from collections.abc import Mapping
from typing import Final

from service_kit.mongo import Database, Session

from ingest.identities.repository import IDENTITIES, LEARNERS
from ingest.statements.repository import STATEMENTS

SEALED_WHOLE: Final = (STATEMENTS.name, IDENTITIES.name, "documents", "quarantine")


async def forget_unreadable(db: Database, tenant: str, learner: str, session: Session) -> Mapping[str, int]:
    """Documents removed, by collection; what lies sealed under the key, and the way back itself."""
    found = await db[LEARNERS.name].find_one({"_id": f"{tenant}/{learner}"}, session=session)
    if found is None or found["key"] is None:
        return {}
    where = {"key": found["key"]}
    counts = {name: (await db[name].delete_many(where, session=session)).deleted_count for name in SEALED_WHOLE}
    await db[LEARNERS.name].delete_one({"_id": found["_id"]}, session=session)
    return counts
