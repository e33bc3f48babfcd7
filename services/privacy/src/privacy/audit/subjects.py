"""Whom entries are about: opened where the learner's key still exists."""

import base64
from collections.abc import Sequence

import orjson
from events.payloads import Audited, AuditSubject
from events.sealing import KeyGone, Sealed, Sealer


async def learners_of(entries: Sequence[Audited], sealer: Sealer) -> list[list[str | None]]:
    """The learners of each entry; None for one who is forgotten."""
    sealed = [subject for entry in entries for subject in entry.subjects]
    opened = iter(await _opened(sealed, sealer))
    return [[next(opened) for _ in entry.subjects] for entry in entries]


async def _opened(sealed: Sequence[AuditSubject], sealer: Sealer) -> list[str | None]:
    try:
        return [_learner(data) for data in await sealer.open([_sealed(subject) for subject in sealed])]
    except KeyGone:
        return [await _one(subject, sealer) for subject in sealed]


async def _one(subject: AuditSubject, sealer: Sealer) -> str | None:
    try:
        [data] = await sealer.open([_sealed(subject)])
    except KeyGone:
        return None
    return _learner(data)


def _sealed(subject: AuditSubject) -> Sealed:
    return Sealed(base64.b64decode(subject.data), subject.key)


def _learner(data: bytes) -> str:
    return str(orjson.loads(data)["learner"])
