"""`python -m tests.load.limit …`: what mongod itself can take: bare `insert_many` of an LRS's own documents, with its
write concern and its indexes, from four threads of a script that does nothing else.

Prints one line of JSON: documents, seconds, and the seconds of each call.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from ingest.statements.repository import STATEMENTS
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.write_concern import WriteConcern

Document = dict[str, Any]
_DURABLE = WriteConcern(w="majority", j=True)
_THREADS = 4


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("database", help="of the LRS whose documents are taken")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=100)
    options = parser.parse_args()
    with MongoClient[Document](options.url) as client:
        taken = list(client[options.database][STATEMENTS.name].find({"outbox": {"$exists": True}}).limit(2_000))
        collection = client.get_database("limit", write_concern=_DURABLE)["statements"]
        for index in STATEMENTS.indexes:
            more: dict[str, Any] = {} if index.where is None else {"partialFilterExpression": index.where}
            collection.create_index(list(index.keys), unique=index.unique, **more)
        loads = [_load(taken, start, options.size) for start in range(0, options.count, options.size)]
        started = time.perf_counter()
        with ThreadPoolExecutor(_THREADS) as pool:
            seconds = list(pool.map(lambda load: _insert(collection, load), loads))
        took = time.perf_counter() - started
    sys.stdout.write(json.dumps({"documents": options.count, "took": took, "seconds": seconds}) + "\n")


def _load(taken: Sequence[Document], start: int, size: int) -> list[Document]:
    """The same documents under ids of their own, stored one after another."""
    return [
        taken[number % len(taken)] | {"_id": f"limit/{uuid4()}", "stored": time.time_ns() // 1000 + number}
        for number in range(start, start + size)
    ]


def _insert(collection: Collection[Document], load: list[Document]) -> float:
    started = time.perf_counter()
    collection.insert_many(load)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
