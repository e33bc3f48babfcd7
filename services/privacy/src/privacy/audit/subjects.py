"""Whom entries are about: opened where the learner's key still exists."""

import base64
from collections.abc import Sequence

import orjson
from events.payloads import Audited, AuditSubject
from events.sealing import Sealed, Sealer


async def learners_of(entries: Sequence[Audited], sealer: Sealer) -> list[list[str | None]]:
    """The learners of each entry; None for one who is forgotten."""
    opened = iter(await sealer.open_each([_sealed(subject) for entry in entries for subject in entry.subjects]))
    return [[_learner(next(opened)) for _ in entry.subjects] for entry in entries]


def _sealed(subject: AuditSubject) -> Sealed:
    return Sealed(base64.b64decode(subject.data), subject.key)


def _learner(data: bytes | None) -> str | None:
    return None if data is None else str(orjson.loads(data)["learner"])
