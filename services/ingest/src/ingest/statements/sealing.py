"""A statement's bytes in its document: `{bytes, key, parts?: [{at, bytes, key, group?, parts?}]}`.

`bytes` is sealed for whoever the statement is about, each of `parts` for whoever it names (`xapi.cutting`); most
statements name nobody else and have none. What many statements hold is sealed, and opened, in one call.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from events.sealing import Owner, Sealed, Sealer
from service_kit.mongo import Document
from xapi import dumps
from xapi.cutting import Part, Piece, cut, erased_name, join
from xapi.parsing import JsonObject

from ingest.credentials.authority import AUTHORITY_HOME_PAGE
from ingest.identities.repository import Identity

NOBODY: Final[Mapping[str, str]] = {}
_SYSTEM: Final = f"account:{AUTHORITY_HOME_PAGE}|"


Body = tuple[Owner, JsonObject, Mapping[str, str]]
"""Whose it is, a statement or what came with it, and its learners by identifier: `NOBODY` where there is no other."""


async def seal(sealer: Sealer, bodies: Sequence[Body]) -> list[Document]:
    """The fields of each one's document, in order."""
    items: list[tuple[Owner, bytes]] = []
    cuts: dict[int, Sequence[Piece]] = {}
    for number, (owner, content, others) in enumerate(bodies):
        if others:
            data, cuts[number] = cut(content, others, owner.learner)
            items.append((owner, data))
            items += _flat(owner.tenant, cuts[number])
        else:
            items.append((owner, dumps(content)))
    sealed = await sealer.seal(items)
    if not cuts:
        return [{"bytes": one.data, "key": one.key} for one in sealed]
    rest = iter(sealed)
    return [_fields(next(rest), cuts.get(number, ()), rest) for number in range(len(bodies))]


async def open_all(sealer: Sealer, bodies: Sequence[tuple[str, Document]]) -> list[bytes | None]:
    """The bytes of each, in order; None where they are gone with their learner. Who else is gone reads as an account.

    Each comes with the `_id` of its statement, by which the names of such accounts differ.
    """
    items: list[Sealed] = []
    for _, body in bodies:
        items.append(Sealed(body["bytes"], body["key"]))
        if "parts" in body:
            items += _sealed(body["parts"])
    opened = await sealer.open_each(items)
    if len(opened) == len(bodies):
        return opened
    rest = iter(opened)
    return [_joined(key, body, rest) for key, body in bodies]


def others_in(identities: Mapping[str, Identity], identifiers: Iterable[str], learner: str) -> Mapping[str, str]:
    """Learners by identifier, as far as they are persons; none where all are the one learner's."""
    others: dict[str, str] = {}
    are_others = False
    for ifi in identifiers:
        identity = identities[ifi]
        if is_person(ifi, identity):
            others[ifi] = identity.learner
            are_others |= identity.learner != learner
    return others if are_others else NOBODY


def is_person(ifi: str, identity: Identity) -> bool:
    """A credential's own account, which stands as authority, is nobody, unless statements are about it."""
    return identity.subject or not ifi.startswith(_SYSTEM)


def _flat(tenant: str, pieces: Sequence[Piece]) -> Iterator[tuple[Owner, bytes]]:
    for piece in pieces:
        yield Owner(tenant, piece.owner), piece.data
        yield from _flat(tenant, piece.inner)


def _fields(sealed: Sealed, pieces: Sequence[Piece], rest: Iterator[Sealed]) -> Document:
    fields: Document = {"bytes": sealed.data, "key": sealed.key}
    if pieces:
        fields["parts"] = [_part(piece, rest) for piece in pieces]
    return fields


def _part(piece: Piece, rest: Iterator[Sealed]) -> Document:
    part = {"at": piece.at} | _fields(next(rest), piece.inner, rest)
    return part | {"group": True} if piece.is_group else part


def _sealed(parts: Sequence[Document]) -> Iterator[Sealed]:
    for part in parts:
        yield Sealed(part["bytes"], part["key"])
        yield from _sealed(part.get("parts", ()))


def _joined(key: str, body: Document, opened: Iterator[bytes | None]) -> bytes | None:
    data = next(opened)
    parts = _opened(key, body["parts"], opened) if "parts" in body else ()
    return None if data is None else join(data, parts)


def _opened(key: str, parts: Sequence[Document], opened: Iterator[bytes | None]) -> list[Part]:
    return [_returned(key, part, next(opened), opened) for part in parts]


def _returned(key: str, part: Document, data: bytes | None, opened: Iterator[bytes | None]) -> Part:
    name = "" if data is not None else erased_name(key, part["key"])
    return Part(part["at"], data, _opened(key, part.get("parts", ()), opened), "group" in part, name)
