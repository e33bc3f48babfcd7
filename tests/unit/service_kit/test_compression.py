"""Bytes that are made small before they are sealed: all come back, and the dictionary stays what it was."""

from __future__ import annotations

import os
from hashlib import sha256
from itertools import islice

import orjson
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from events.sealing import Owner
from hypothesis import given
from hypothesis import strategies as st
from service_kit.keys.compression import DICTIONARY, LEAST, MOST, compressed, decompressed
from service_kit.keys.ring import OpenKey
from service_kit.keys.sealer import Tampered, _open, _seal

from tests.load import sample

FRAME = b"\x28\xb5\x2f\xfd"


@given(st.binary(max_size=2_000), st.sampled_from([b"", b"{", FRAME, FRAME[:3]]), st.integers(1, 200))
def test_every_byte_comes_back(data: bytes, start: bytes, times: int) -> None:
    given_bytes = start + data * times
    assert decompressed(compressed(given_bytes)) == given_bytes


@pytest.mark.parametrize("size", [0, 1, LEAST - 1, LEAST, LEAST + 1, MOST - 1, MOST, MOST + 1])
def test_at_the_bounds(size: int) -> None:
    for data in (b"a" * size, os.urandom(size), (FRAME * size)[:size]):
        assert decompressed(compressed(data)) == data


def test_a_file_that_is_a_frame_itself() -> None:
    once = compressed(b"a" * 10_000)
    assert once.startswith(FRAME)
    assert decompressed(compressed(once)) == once


@pytest.mark.parametrize("start", [FRAME, b"{", b""])
@pytest.mark.parametrize("size", [1_000, MOST, MOST + 1, 255 * 1024])
def test_sealed_and_opened(start: bytes, size: int) -> None:
    """Chunks of an attachment keep their length, whatever they begin with."""
    key = OpenKey("k1", Owner("t", "l"), AESGCM(os.urandom(32)), b"t/l", 0.0)
    data = start + os.urandom(size - len(start))
    sealed = _seal(key, data)
    assert _open(key, sealed.data) == data
    if size > MOST:
        assert len(sealed.data) == size + 28
    with pytest.raises(Tampered):
        _open(key, sealed.data[:-1] + bytes([sealed.data[-1] ^ 1]))


def test_a_statement_takes_a_third() -> None:
    statements = [orjson.dumps(one) for one in islice(sample.statements(1), 200)]
    assert sum(len(compressed(one)) for one in statements) < sum(map(len, statements)) / 3


def test_what_cannot_be_made_smaller_is_left() -> None:
    noise = os.urandom(1_000)
    assert compressed(noise) == noise


def test_the_dictionary_is_the_one_that_kept_bytes_need() -> None:
    assert sha256(DICTIONARY).hexdigest() == "7f52a1d804c8534051b09ca48d3ac53ecf9299a378d7370be62706ab4b624cb1"
