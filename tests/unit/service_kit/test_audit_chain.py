"""The chain is whole, or it is found out: every kind of tampering, wherever it is done."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from service_kit.chain import Mark, Signed, Verdict, canonical, genesis, line_of, linked, verify

KEY = Ed25519PrivateKey.generate()
OTHER_KEY = Ed25519PrivateKey.generate()
TENANT = "t"
AT = "2026-11-22T12:00:00+00:00"


def public(key: Ed25519PrivateKey = KEY) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def sign(mark: Mark, key: Ed25519PrivateKey = KEY) -> Signed:
    return Signed(mark, base64.b64encode(key.sign(mark.signed_bytes())).decode())


@dataclass
class Export:
    """An export in its parts, and the way back to lines."""

    header: bytes
    checkpoints: list[Signed]
    entries: list[tuple[str, str]]  # line, hash
    head: Signed

    def lines(self) -> list[bytes]:
        entries = [canonical({"line": line, "hash": hash_}) for line, hash_ in self.entries]
        return [self.header, *(c.line() for c in self.checkpoints), *entries, self.head.line()]

    def verdict(self, witness: Mark | None = None, key: str | None = None) -> Verdict:
        return verify(self.lines(), public_key=key or public(), witness=witness)

    def rehash(self, start: int) -> None:
        """What a forger without the key can do: make all hashes fit again."""
        previous = self.entries[start - 1][1] if start else genesis(TENANT)
        for i in range(start, len(self.entries)):
            previous = linked(previous, self.entries[i][0])
            self.entries[i] = (self.entries[i][0], previous)


def export(entries: int = 10, every: int = 3, pruned: int = 0, key: Ed25519PrivateKey = KEY) -> Export:
    """A chain of entries with a checkpoint after every few."""
    made: list[tuple[str, str]] = []
    checkpoints: list[Signed] = []
    hash_, digest = genesis(TENANT), genesis(TENANT)
    for seq in range(1, entries + 1):
        line = line_of(TENANT, seq, f"id-{seq}", {"what": "profile", "subjects": [f"sealed-{seq}"]})
        hash_ = linked(hash_, line)
        made.append((line, hash_))
        if seq % every == 0:
            number = len(checkpoints) + 1
            checkpoints.append(sign(Mark("checkpoint", TENANT, number, seq, hash_, digest, 0, AT), key))
            digest = checkpoints[-1].mark.digest()
    header = canonical({"audit": {"format": 1, "tenant": TENANT, "public_key": public(key)}})
    head = sign(Mark("head", TENANT, len(checkpoints), entries, hash_, digest, pruned, AT), key)
    return Export(header, checkpoints, made[pruned:], head)


def changed(line: str) -> str:
    return line.replace("profile", "nothing")


def an_entry_changed(e: Export) -> None:
    e.entries[4] = (changed(e.entries[4][0]), e.entries[4][1])


def an_entry_changed_and_its_hash(e: Export) -> None:
    line = changed(e.entries[4][0])
    e.entries[4] = (line, linked(e.entries[3][1], line))


def an_entry_changed_and_all_hashes(e: Export) -> None:
    e.entries[4] = (changed(e.entries[4][0]), "")
    e.rehash(4)


def an_entry_removed(e: Export) -> None:
    del e.entries[4]


def an_entry_removed_and_all_numbered_anew(e: Export) -> None:
    del e.entries[4]
    for i in range(4, len(e.entries)):
        value = orjson.loads(e.entries[i][0])
        e.entries[i] = (line_of(TENANT, i + 1, value["id"], value["entry"]), "")
    e.rehash(4)


def two_entries_in_another_order(e: Export) -> None:
    e.entries[4], e.entries[5] = e.entries[5], e.entries[4]


def two_entries_in_another_order_and_all_hashes(e: Export) -> None:
    first, second = (orjson.loads(e.entries[i][0]) for i in (4, 5))
    e.entries[4] = (line_of(TENANT, 5, second["id"], second["entry"]), "")
    e.entries[5] = (line_of(TENANT, 6, first["id"], first["entry"]), "")
    e.rehash(4)


def an_entry_put_in(e: Export) -> None:
    e.entries.append((line := line_of(TENANT, 11, "id-11", {}), linked(e.entries[-1][1], line)))


def the_first_entries_removed(e: Export) -> None:
    del e.entries[:3]


def the_last_entry_removed(e: Export) -> None:
    del e.entries[-1]


def the_last_entry_changed(e: Export) -> None:
    e.entries[-1] = (changed(e.entries[-1][0]), "")
    e.rehash(len(e.entries) - 1)


def all_entries_removed(e: Export) -> None:
    e.entries.clear()


def a_checkpoint_changed(e: Export) -> None:
    e.checkpoints[1] = replace(e.checkpoints[1], mark=replace(e.checkpoints[1].mark, seq=5))


def a_checkpoint_signed_by_another(e: Export) -> None:
    e.checkpoints[1] = sign(e.checkpoints[1].mark, OTHER_KEY)


def a_checkpoint_removed(e: Export) -> None:
    del e.checkpoints[1]


def the_last_checkpoint_removed(e: Export) -> None:
    del e.checkpoints[-1]


def two_checkpoints_in_another_order(e: Export) -> None:
    e.checkpoints[0], e.checkpoints[1] = e.checkpoints[1], e.checkpoints[0]


def the_head_changed(e: Export) -> None:
    del e.entries[-1]
    mark = replace(e.head.mark, seq=9, hash=e.entries[-1][1])
    e.head = replace(e.head, mark=mark)


def the_head_signed_by_another(e: Export) -> None:
    e.head = sign(e.head.mark, OTHER_KEY)


def pruned_without_saying_so(e: Export) -> None:
    """As if by pruning, up to a checkpoint; the head knows of none."""
    e.entries = e.entries[6:]


def another_tenants_chain(e: Export) -> None:
    e.header = canonical({"audit": {"format": 1, "tenant": "other", "public_key": public()}})


TAMPERINGS: list[Callable[[Export], None]] = [
    an_entry_changed,
    an_entry_changed_and_its_hash,
    an_entry_changed_and_all_hashes,
    an_entry_removed,
    an_entry_removed_and_all_numbered_anew,
    two_entries_in_another_order,
    two_entries_in_another_order_and_all_hashes,
    an_entry_put_in,
    the_first_entries_removed,
    the_last_entry_removed,
    the_last_entry_changed,
    all_entries_removed,
    a_checkpoint_changed,
    a_checkpoint_signed_by_another,
    a_checkpoint_removed,
    the_last_checkpoint_removed,
    two_checkpoints_in_another_order,
    the_head_changed,
    the_head_signed_by_another,
    pruned_without_saying_so,
    another_tenants_chain,
]


@pytest.mark.parametrize("tamper", TAMPERINGS)
def test_tampering_is_found(tamper: Callable[[Export], None]) -> None:
    one = export()
    assert one.verdict().findings == []
    tamper(one)
    assert not one.verdict().holds


@given(entries=st.integers(1, 20), every=st.integers(1, 7), place=st.integers(0, 19), byte=st.integers(0, 200))
def test_any_byte_of_any_entry_counts(entries: int, every: int, place: int, byte: int) -> None:
    one = export(entries, every)
    line, hash_ = one.entries[place % entries]
    at = byte % len(line)
    one.entries[place % entries] = (f"{line[:at]}{chr(ord(line[at]) ^ 1)}{line[at + 1 :]}", hash_)
    assert not one.verdict().holds


@given(entries=st.integers(0, 20), every=st.integers(1, 7))
def test_a_chain_that_was_only_added_to_holds(entries: int, every: int) -> None:
    assert export(entries, every).verdict().findings == []


@pytest.mark.parametrize("pruned", [3, 6, 9])
def test_pruning_up_to_a_checkpoint_keeps_it_whole(pruned: int) -> None:
    verdict = export(pruned=pruned).verdict()
    assert (verdict.findings, verdict.entries, verdict.pruned) == ([], 10 - pruned, pruned)


def test_pruning_everything_keeps_it_whole() -> None:
    assert export(entries=9, pruned=9).verdict().findings == []


def test_pruning_between_checkpoints_is_found() -> None:
    assert not export(pruned=4).verdict().holds


class TestWitness:
    """An earlier, well-signed end, put back after the last entries were cut off, is found by who saw the later one."""

    def test_an_older_end_alone_looks_well(self) -> None:
        assert export(entries=7).verdict().holds

    def test_whoever_saw_the_later_end_finds_it(self) -> None:
        seen = export().verdict().head
        assert seen is not None
        assert not export(entries=7).verdict(witness=seen.mark).holds

    def test_growing_is_well(self) -> None:
        seen = export(entries=7).verdict().head
        assert seen is not None
        assert export().verdict(witness=seen.mark).findings == []
        assert export(pruned=9).verdict(witness=seen.mark).findings == []

    def test_a_history_written_anew_with_the_key_is_found(self) -> None:
        seen = export().verdict().head
        assert seen is not None
        forged = export(entries=12, every=4)
        assert forged.verdict().holds
        assert not forged.verdict(witness=seen.mark).holds

    def test_another_key_is_found_by_who_knows_the_right_one(self) -> None:
        forged = export(key=OTHER_KEY)
        assert verify(forged.lines()).holds
        assert not forged.verdict().holds


@pytest.mark.parametrize("line", [b"{", b"[]", b"{}", b'{"mark":{}}', b'{"line":"{}","hash":"x"}', b"null"])
def test_what_cannot_be_read_is_a_finding(line: bytes) -> None:
    lines = export().lines()
    assert not verify([*lines[:5], line, *lines[5:]]).holds


def test_an_end_that_is_missing_is_a_finding() -> None:
    assert not verify(export().lines()[:-1]).holds
    assert not verify([]).holds
