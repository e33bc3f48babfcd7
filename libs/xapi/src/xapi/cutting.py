"""A statement's bytes in pieces, one for each agent of someone else's, and put together again byte for byte.

Each piece can so be sealed under the key of whoever it names, and what is left under that of whoever the statement is
about. What stands in open text (an extension, a response) is nobody's piece: it stays with what is left.

    data, pieces = cut(statement, {"mbox:mailto:bob@example.org": "bob"}, "ada")
    join(data, [Part(piece.at, piece.data) for piece in pieces]) == dumps(statement)
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from .exact import JsonObject, as_it_stood
from .identifiers import canonical_ifi

ERASED_HOME_PAGE: Final = "https://trellis.invalid/erased"

_MARK: Final = b"\x00"
"""Stands where a piece was. JSON holds no such byte: within strings it is escaped (RFC 8259 7)."""
_LISTS: Final = frozenset({"contextAgents", "contextGroups"})
_PLACES: Final = frozenset({"actor", "object", "instructor", "team", "agent", "group", "authority", "context"}) | _LISTS


class Piece(NamedTuple):
    """The bytes of an agent or group without those of the `inner` pieces (members of a group who are others again).

    `at` is an offset in the bytes around it, which are without their pieces too.
    """

    at: int
    owner: str
    data: bytes
    is_group: bool
    inner: "list[Piece]"


class Part(NamedTuple):
    """A piece on its way back; without `data` it reads as the account `name` of someone erased."""

    at: int
    data: bytes | None
    inner: "Sequence[Part]" = ()
    is_group: bool = False
    name: str = ""


def cut(statement: JsonObject, whose: Mapping[str, str], owner: str) -> tuple[bytes, list[Piece]]:
    """What is left for `owner`, and the pieces of all others in the order in which they stand.

    `whose` says to whom the canonical identifiers belong; who is not in it stays where it stands, and so does an
    anonymous group, whose members are cut one by one. All bytes together are those of `dumps`.
    """
    return _cut(with_agents(statement, lambda agent: _holed(agent, whose, owner)))


def join(data: bytes, parts: Sequence[Part]) -> bytes:
    """What was cut, whole again."""
    if not parts:
        return data
    pieces: list[bytes] = []
    last = 0
    for part in parts:
        pieces += (data[last : part.at], _whole(part))
        last = part.at
    pieces.append(data[last:])
    return b"".join(pieces)


def with_agents(statement: JsonObject, change: Callable[[JsonObject], Any]) -> JsonObject:
    """A new statement with every agent and group changed (a group as a whole); or what has some of its properties."""
    result = dict(statement)
    for key in statement.keys() & _PLACES:
        value = statement[key]
        if key == "context":
            result[key] = with_agents(value, change)
        elif key in _LISTS:
            result[key] = [with_agents(entry, change) for entry in value]
        else:
            result[key] = _target(value, change)
    return result


def with_erased(statement: JsonObject, names: Mapping[str, str]) -> JsonObject:
    """A new statement in which every agent and group with one of these canonical identifiers reads as its account.

    Members of such a group stay.
    """
    return with_agents(statement, lambda agent: _erased(agent, names))


def erased_name(statement: str, key: str) -> str:
    """The name of whoever had the key: the same all over a statement, another one in every other."""
    digest = hashlib.blake2b(key.encode(), digest_size=16, person=b"erased", salt=_salt(statement))
    return digest.hexdigest()


def is_erased(ifi: str) -> bool:
    return ifi.startswith(f"account:{ERASED_HOME_PAGE}|")


def _erased(agent: JsonObject, names: Mapping[str, str]) -> JsonObject:
    name = names.get(canonical_ifi(agent) or "")
    if name is None and "member" not in agent:
        return agent
    members = {"member": [_erased(one, names) for one in agent["member"]]} if "member" in agent else {}
    if name is None:
        return {**agent, **members}
    return {"objectType": agent.get("objectType", "Agent"), "account": _account(name), **members}


class _Hole:
    """In the place of an agent that is somebody else's than what stands around it."""

    __slots__ = ("agent", "owner")

    def __init__(self, agent: JsonObject, owner: str) -> None:
        self.agent = agent
        self.owner = owner


def _holed(agent: JsonObject, whose: Mapping[str, str], around: str) -> JsonObject | _Hole:
    ifi = canonical_ifi(agent)
    owner = around if ifi is None else whose.get(ifi, around)
    if agent.get("member"):
        agent = {**agent, "member": [_holed(member, whose, owner) for member in agent["member"]]}
    return agent if owner == around else _Hole(agent, owner)


def _cut(value: JsonObject) -> tuple[bytes, list[Piece]]:
    holes: list[_Hole] = []

    def marked(one: Any) -> orjson.Fragment:
        if isinstance(one, _Hole):
            holes.append(one)  # in the order in which they are written
            return orjson.Fragment(_MARK)
        return as_it_stood(one)

    written = orjson.dumps(value, default=marked)
    if not holes:
        return written, []
    segments = written.split(_MARK)
    pieces: list[Piece] = []
    at = 0
    for hole, segment in zip(holes, segments[:-1], strict=True):
        at += len(segment)
        data, inner = _cut(hole.agent)
        pieces.append(Piece(at, hole.owner, data, hole.agent.get("objectType") == "Group", inner))
    return b"".join(segments), pieces


def _target(value: JsonObject, change: Callable[[JsonObject], Any]) -> Any:
    if value.get("objectType") == "SubStatement":
        return with_agents(value, change)
    return value if "id" in value else change(value)  # an activity or a reference has one


def _whole(part: Part) -> bytes:
    if part.data is not None:
        return join(part.data, part.inner)
    head = orjson.dumps({"objectType": "Group" if part.is_group else "Agent", "account": _account(part.name)})
    if not part.inner:
        return head
    return b'%b,"member":[%b]}' % (head[:-1], b",".join([_whole(member) for member in part.inner]))


def _account(name: str) -> JsonObject:
    return {"homePage": ERASED_HOME_PAGE, "name": name}


def _salt(statement: str) -> bytes:
    return hashlib.blake2b(statement.encode(), digest_size=hashlib.blake2b.SALT_SIZE).digest()
