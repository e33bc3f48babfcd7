"""Learners who are one person, by the word of ingest's `POST /identities/merge`: each service's own view.

A merge is an edge from a learner to the one it is merged into; the learners that edges join are a group, its root is
the one that is merged into nobody. Rows, statements and keys stay each learner's own, so that an undone merge leaves
nothing to be put back. The view stands in `standings`, in the field `merged` of each learner's document:
`{into, version, root, everyone}`, so that whoever reads standings learns of groups by the same find.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any, Final

from events.payloads import IdentityMerge

from service_kit.mongo import ASCENDING, Collection, CollectionSpec, Database, Document, Index, Session, UpdateOne

STANDINGS: Final = CollectionSpec(  # tenant → policy, tenant/learner → state and group: one find for all
    "standings",
    "derived",
    (
        Index((("state.restricted", ASCENDING), ("_id", ASCENDING)), where={"state.restricted": True}),
        Index((("merged.version", ASCENDING), ("_id", ASCENDING)), where={"merged.version": {"$gt": 0}}),
    ),
)
MOST_IN_A_GROUP: Final = 50


@dataclass(frozen=True, slots=True)
class Group:
    """One person's learners, the root first, then by id."""

    everyone: tuple[str, ...]

    @property
    def root(self) -> str:
        return self.everyone[0]

    @classmethod
    def alone(cls, learner: str) -> "Group":
        return cls((learner,))

    @classmethod
    def in_document(cls, learner: str, document: Document | None) -> "Group":
        """As the learner's own document tells it."""
        merged = (document or {}).get("merged")
        return cls(tuple(merged["everyone"])) if merged else cls.alone(learner)


class Merges:
    """Reads and writes the view."""

    def __init__(self, db: Database) -> None:
        self._standings: Collection = db[STANDINGS.name]

    async def groups(self, tenant: str, learners: Iterable[str], session: Session | None = None) -> dict[str, Group]:
        """The group of each of the learners."""
        ids = {f"{tenant}/{learner}": learner for learner in learners}
        where: Document = {"_id": {"$in": list(ids)}}
        found = await self._standings.find(where, {"merged": 1}, session=session).to_list(None) if ids else []
        known = {document["_id"]: document for document in found}
        return {learner: Group.in_document(learner, known.get(key)) for key, learner in ids.items()}

    async def group(self, tenant: str, learner: str, session: Session | None = None) -> Group:
        return (await self.groups(tenant, [learner], session))[learner]

    async def people(self, tenant: str) -> set[Group]:
        """All who are one person by several learners."""
        where = {"merged.version": {"$gt": 0}, "_id": {"$gt": f"{tenant}/", "$lt": f"{tenant}0"}}  # "0" follows "/"
        found = self._standings.find(where, {"merged": 1})
        groups = {Group.in_document("", document) async for document in found}
        return {group for group in groups if len(group.everyone) > 1}

    async def put(self, tenant: str, learner: str, merge: IdentityMerge, session: Session) -> set[str]:
        """Store unless one of this or a newer version is held; whose group may be another now."""
        asked = [learner] if merge.into is None else [learner, merge.into]
        before = await self.groups(tenant, asked, session)
        concerned = {one for group in before.values() for one in group.everyone}
        edges, versions = await self._held(tenant, concerned, session)
        if versions[learner] >= merge.version:
            return set()
        edges[learner], versions[learner] = merge.into, merge.version
        await self._write(tenant, edges, versions, session)
        return concerned

    async def forget(self, tenant: str, learner: str, session: Session) -> None:
        """The learner is forgotten: no document names them any more, and nobody is one person with them."""
        own, group = f"{tenant}/{learner}", await self.group(tenant, learner, session)
        edges, versions = await self._held(tenant, set(group.everyone) - {learner}, session)
        left = {one: None if into == learner else into for one, into in edges.items()}
        if left:
            await self._write(tenant, left, versions, session)
        await self._standings.update_one({"_id": own}, {"$unset": {"merged": ""}}, session=session)
        await self._standings.delete_one({"_id": own, "state": {"$exists": False}}, session=session)

    async def _held(
        self, tenant: str, learners: Set[str], session: Session
    ) -> tuple[dict[str, str | None], dict[str, int]]:
        """Whom each is merged into, and by which version."""
        where: Document = {"_id": {"$in": [f"{tenant}/{one}" for one in learners]}}
        found = await self._standings.find(where, {"merged": 1}, session=session).to_list(None)
        held = {d["_id"].partition("/")[2]: d["merged"] for d in found if "merged" in d}
        edges = {one: held.get(one, {}).get("into") for one in learners}
        return edges, {one: held.get(one, {}).get("version", 0) for one in learners}

    async def _write(
        self, tenant: str, edges: Mapping[str, str | None], versions: Mapping[str, int], session: Session
    ) -> None:
        changes: list[Any] = []
        for group in grouped(edges):
            for one in group.everyone:
                merged = {"into": edges[one], "version": versions[one], "everyone": list(group.everyone)}
                changes.append(UpdateOne({"_id": f"{tenant}/{one}"}, {"$set": {"merged": merged}}, upsert=True))
        await self._standings.bulk_write(changes, ordered=False, session=session)


def grouped(edges: Mapping[str, str | None]) -> list[Group]:
    """The groups that the edges make. Edges that go in a circle, as messages out of order may, have the least of it as
    their root until the missing one comes.
    """
    members: dict[str, list[str]] = {}
    for one in sorted(edges):
        members.setdefault(_root(one, edges), []).append(one)
    return [Group((root, *(one for one in found if one != root))) for root, found in members.items()]


def _root(learner: str, edges: Mapping[str, str | None]) -> str:
    way = [learner]
    while (above := edges.get(way[-1])) is not None:
        if above in way:
            return min(way[way.index(above) :])
        way.append(above)
    return way[-1]
