"""Train the dictionary under which sealed bytes are compressed: `dictionary.py NUMBER`, a new number each time.

A dictionary that anything was sealed with is never written again (`service_kit.keys.compression`).
"""

import argparse
import json
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from xapi import Version, complete
from zstandard import train_dictionary

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "tests" / "fixtures" / "emitters"
FOLDER = ROOT / "libs" / "service_kit" / "src" / "service_kit" / "keys"
BYTES = 16 * 1024
TURNS = 20
AUTHORITY = {"objectType": "Agent", "account": {"homePage": "https://trellis.invalid/credentials", "name": "key"}}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("number", type=int)
    number = parser.parse_args().number
    path = FOLDER / f"dictionary-{number}.zstd"
    if path.exists():
        sys.exit(f"{path} is there: what it sealed needs it as it is")
    chance = random.Random(number)  # noqa: S311 — no secret is made of it
    found = [one for file in sorted(SAMPLES.glob("*.json")) for one in _statements(json.loads(file.read_bytes()))]
    samples: list[bytes | bytearray | memoryview] = [_stored(one, chance) for _ in range(TURNS) for one in found]
    path.write_bytes(train_dictionary(BYTES, samples, dict_id=number).as_bytes())


def _statements(value: Any) -> Iterator[dict[str, Any]]:
    """Wherever they stand in a file."""
    if isinstance(value, dict) and {"actor", "verb", "object"} <= value.keys():
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _statements(inner)


def _stored(raw: dict[str, Any], chance: random.Random) -> bytes:
    """As it lies in the store, with an id and times of its own."""
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=chance.randrange(365 * 86_400_000_000))
    made = complete(
        raw | {"timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.{chance.randrange(1000):03}Z"},
        statement_id=str(UUID(int=chance.getrandbits(128), version=4)),
        stored=f"{at:%Y-%m-%dT%H:%M:%S.%f}Z",
        authority=AUTHORITY,
        version=Version.V1_0_3,
    )
    return orjson.dumps(made)


if __name__ == "__main__":
    main()
