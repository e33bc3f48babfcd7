"""The audit's chain: what ties one entry to the next, and how whoever distrusts us checks it. Pure.

An entry's hash is SHA-256 over the hash before it and the entry's own bytes, which are canonical JSON (keys sorted, no
spaces) of tenant, number and the sealed entry: the sealed form, so that a forgotten learner breaks nothing. Marks are
signed with Ed25519: checkpoints, each of which holds the digest of the one before, and one head, which says where the
chain ends now and up to which entry it was pruned. Pruning keeps checkpoints.

An export is JSON Lines: `{"audit": {…}}`, then `{"mark": …, "signature": …}` for every checkpoint, then
`{"line": …, "hash": …}` for every entry, then the head's mark.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT: Final = 1
MOST_FINDINGS: Final = 50
Kind = Literal["checkpoint", "head"]


def canonical(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def genesis(tenant: str) -> str:
    """What stands before the first entry and before the first checkpoint of a tenant."""
    return hashlib.sha256(f"trellis/audit/{FORMAT}/{tenant}".encode()).hexdigest()


def line_of(tenant: str, seq: int, entry_id: str, entry: dict[str, Any]) -> str:
    """The bytes that are hashed, as text. `seq` counts from 1."""
    return canonical({"tenant": tenant, "seq": seq, "id": entry_id, "entry": entry}).decode()


def linked(previous: str, line: str) -> str:
    """The hash of an entry behind the one with the hash `previous`."""
    return hashlib.sha256(bytes.fromhex(previous) + line.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the chain that is signed. `number`: of this checkpoint, or of the last one before the head;
    `previous`: digest of the checkpoint before; `seq` and `hash`: the entry; `pruned`: entries up to it are gone by
    intent; `at`: RFC 3339.
    """

    kind: Kind
    tenant: str
    number: int
    seq: int
    hash: str
    previous: str
    pruned: int
    at: str

    def signed_bytes(self) -> bytes:
        return canonical(asdict(self))

    def digest(self) -> str:
        return hashlib.sha256(self.signed_bytes()).hexdigest()


@dataclass(frozen=True, slots=True)
class Signed:
    mark: Mark
    signature: str

    def is_by(self, public_key: str) -> bool:
        try:
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key))
            key.verify(base64.b64decode(self.signature), self.mark.signed_bytes())
        except (InvalidSignature, ValueError, binascii.Error):
            return False
        return True

    def line(self) -> bytes:
        return canonical({"mark": asdict(self.mark), "signature": self.signature})

    @classmethod
    def of(cls, value: dict[str, Any]) -> "Signed":
        """Raises `TypeError`, `KeyError`, `ValueError`."""
        return cls(Mark(**value["mark"]), str(value["signature"]))


@dataclass
class Verdict:
    """What was found. `head` is the end that is signed: keep it, and give it as `witness` the next time."""

    tenant: str = ""
    entries: int = 0
    checkpoints: int = 0
    pruned: int = 0
    public_key: str = ""
    head: Signed | None = None
    findings: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.findings


class _Check:
    def __init__(self, public_key: str | None, witness: Mark | None) -> None:
        self.verdict = Verdict()
        self._trusted = public_key
        self._witness = witness
        self._checkpoints: list[Mark] = []
        self._hashes: dict[int, str] = {}  # of the entries at which something signed looks
        self._wanted: set[int] = set()
        self._last: tuple[int, str] | None = None
        self._first = 0

    def found(self, what: str) -> None:
        if len(self.verdict.findings) < MOST_FINDINGS:
            self.verdict.findings.append(what)

    def take(self, value: dict[str, Any]) -> None:
        if self.verdict.head is not None:
            self.found("something stands behind the head")
        elif "audit" in value:
            self._begin(value["audit"])
        elif "mark" in value:
            self._mark(Signed.of(value))
        else:
            self._entry(str(value["line"]), str(value["hash"]))

    def _begin(self, header: dict[str, Any]) -> None:
        self.verdict.tenant, self.verdict.public_key = str(header["tenant"]), str(header["public_key"])
        if self._trusted is not None and self._trusted != self.verdict.public_key:
            self.found("the public key is not the one that is trusted")
        if self._witness is not None:
            self._wanted.add(self._witness.seq)

    def _mark(self, signed: Signed) -> None:
        mark = signed.mark
        name = "the head" if mark.kind == "head" else f"checkpoint {mark.number}"
        if not signed.is_by(self._trusted or self.verdict.public_key):
            self.found(f"{name}: the signature is wrong")
        if mark.tenant != self.verdict.tenant:
            self.found(f"{name}: it is another tenant's")
        if mark.kind == "head":
            self.verdict.head = signed
        else:
            self._checkpoint(mark)

    def _checkpoint(self, mark: Mark) -> None:
        before = self._checkpoints[-1] if self._checkpoints else None
        number, digest = (before.number + 1, before.digest()) if before else (1, genesis(self.verdict.tenant))
        if mark.number != number:
            self.found(f"checkpoint {number} is missing")
        elif mark.previous != digest:
            self.found(f"checkpoint {mark.number}: it does not follow the one before")
        self._checkpoints.append(mark)
        self._wanted.add(mark.seq)
        self.verdict.checkpoints += 1

    def _entry(self, line: str, given: str) -> None:
        value = orjson.loads(line)
        seq = int(value["seq"])
        if self._last is None:
            self._last = (seq - 1, self._start(seq))
            self._first = seq
        expected = self._last[0] + 1
        if seq != expected:
            self.found(f"entry {expected}: found entry {seq} in its place")
        if value["tenant"] != self.verdict.tenant:
            self.found(f"entry {seq}: it is another tenant's")
        if linked(self._last[1], line) != given:
            self.found(f"entry {seq}: its hash does not follow from the one before")
        self._last = (seq, given)
        self.verdict.entries += 1
        if seq in self._wanted:
            self._hashes[seq] = given

    def _start(self, seq: int) -> str:
        """The hash before the first entry that is left."""
        if seq == 1:
            return genesis(self.verdict.tenant)
        for mark in self._checkpoints:
            if mark.seq == seq - 1:
                return mark.hash
        self.found(f"entry {seq} is the first, and no checkpoint stands before it")
        return genesis(self.verdict.tenant)

    def end(self) -> Verdict:
        signed = self.verdict.head
        if signed is None:
            self.found("the head is missing")
            return self.verdict
        head = signed.mark
        self.verdict.pruned = head.pruned
        self._begins_where_pruned(head)
        self._ends_where_signed(head)
        self._checkpoints_are_whole(head)
        self._goes_through_the_witness(head)
        return self.verdict

    def _begins_where_pruned(self, head: Mark) -> None:
        first = self._first or head.seq + 1
        if first != head.pruned + 1:
            self.found(f"entries {head.pruned + 1} to {first - 1} are missing")

    def _ends_where_signed(self, head: Mark) -> None:
        nothing = next((m.hash for m in reversed(self._checkpoints) if m.seq == head.seq), genesis(head.tenant))
        seq, hash_ = self._last or (head.seq, nothing)
        if seq < head.seq:
            self.found(f"entries {seq + 1} to {head.seq} are missing at the end")
        elif seq > head.seq:
            self.found(f"entries {head.seq + 1} to {seq} stand behind the signed end")
        elif hash_ != head.hash:
            self.found(f"entry {seq}: its hash is not the one that the head signs")

    def _checkpoints_are_whole(self, head: Mark) -> None:
        last = self._checkpoints[-1] if self._checkpoints else None
        if (last.number if last else 0) != head.number:
            self.found(f"the head names {head.number} checkpoints, the last one here is {last.number if last else 0}")
        elif head.previous != (last.digest() if last else genesis(head.tenant)):
            self.found("the head does not follow the last checkpoint")
        for mark in self._checkpoints:
            if mark.seq > head.pruned and self._hashes.get(mark.seq) != mark.hash:
                self.found(f"checkpoint {mark.number}: entry {mark.seq} has another hash")

    def _goes_through_the_witness(self, head: Mark) -> None:
        witness = self._witness
        if witness is None:
            return
        if head.seq < witness.seq or head.number < witness.number:
            self.found(f"the chain ends at {head.seq}, and was at {witness.seq} when it was last verified")
        elif witness.seq > head.pruned and self._hashes.get(witness.seq) not in (None, witness.hash):
            self.found(f"entry {witness.seq} has another hash than when it was last verified")
        elif witness.number and self._previous_of(witness.number) not in (None, witness.previous):
            self.found(f"checkpoint {witness.number} is another than when the chain was last verified")

    def _previous_of(self, number: int) -> str | None:
        """The digest of a checkpoint here."""
        return next((mark.digest() for mark in self._checkpoints if mark.number == number), None)


def verify(lines: Iterable[bytes | str], *, public_key: str | None = None, witness: Mark | None = None) -> Verdict:
    """Judge an export. `public_key`: the one that is trusted, else the export's own; `witness`: the head of an earlier
    verification: an end that was cut off since is found by it alone.
    """
    check = _Check(public_key, witness)
    for number, raw in enumerate(_filled(lines), 1):
        try:
            check.take(orjson.loads(raw))
        except (ValueError, KeyError, TypeError):
            check.found(f"line {number} of the export cannot be read")
    return check.end()


def _filled(lines: Iterable[bytes | str]) -> Iterator[bytes | str]:
    return (line for line in lines if line.strip())
