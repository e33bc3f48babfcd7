"""learner_profile's worker with a look at its stack every few milliseconds of CPU: where its time goes.

`python -m tests.load.sampled work`: from SIGUSR1 on; at the end the shares go to the file named by `SHARES`, as JSON.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Final

import orjson
from learner_profile.parameters import machine_code
from learner_profile.service import SERVICE
from service_kit.runtime import main

SECONDS: Final = 0.004
# The innermost frame that stands here decides. A driver's own frames don't: what calls it is what it works for.
PARTS: Final = (
    ("service_kit/keys/compression.py", "", "compress and decompress"),
    ("service_kit/keys/sealer.py", "_seal", "seal"),
    ("service_kit/keys/sealer.py", "_open", "unseal"),
    ("service_kit/keys/", "", "keys"),
    ("learner_model/reading.py", "", "publish: the state that readers see"),
    ("learner_model/coding.py", "", "state from and to bytes"),
    ("learner_model/folded.py", "", "state from and to bytes"),
    ("learner_model/folding.py", "of", "state from and to bytes"),
    ("learner_model/folding.py", "packed", "state from and to bytes"),
    ("learner_model/additive/memory.py", "", "state from and to bytes"),
    ("learner_model/additive/packing.py", "", "state from and to bytes"),
    ("learner_model/", "", "fold"),
    ("aiokafka/producer/", "", "publish: Kafka"),
    ("events/publisher.py", "", "publish: Kafka"),
    ("events/envelope.py", "encode", "publish: envelopes"),
    ("events/envelope.py", "_wrap", "publish: envelopes"),
    ("events/envelope.py", "_json", "publish: envelopes"),
    ("events/envelope.py", "", "decode messages"),
    ("service_kit/outbox.py", "", "publish: flags read and cleared"),
    ("learner_profile/learners/publishing.py", "", "publish: the state that readers see"),
    ("service_kit/consent.py", "", "consent view and roles"),
    ("service_kit/merging.py", "", "consent view and roles"),
    ("learner_profile/roles/", "", "consent view and roles"),
    ("learner_profile/evidence/repository.py", "known", "look for rows"),
    ("learner_profile/evidence/repository.py", "held", "look for rows"),
    ("learner_profile/evidence/repository.py", "write", "store rows"),
    ("learner_profile/learners/repository.py", "load", "load states"),
    ("learner_profile/learners/repository.py", "save", "store states"),
    ("learner_profile/activities/", "", "catalog"),
    ("learner_profile/evidence/handlers.py", "_by_tenant", "read statements"),
    ("learner_profile/evidence/handlers.py", "", "sort out, around the fold"),
    ("service_kit/positions.py", "", "transaction, positions, commit"),
    ("service_kit/mongo.py", "in_transaction", "transaction, positions, commit"),
    ("events/consumer.py", "", "fetch, report"),
    ("aiokafka/consumer/", "", "fetch, report"),
)
OTHER: Final = "sockets, event loop, other jobs"


class Sampler:
    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._known: dict[tuple[str, str], str | None] = {}

    def begin(self, _signal: int, _frame: FrameType | None) -> None:
        self._counts.clear()
        signal.setitimer(signal.ITIMER_PROF, SECONDS, SECONDS)

    def look(self, _signal: int, frame: FrameType | None) -> None:
        while frame is not None:
            place = (frame.f_code.co_filename, frame.f_code.co_name)
            if place not in self._known:
                self._known[place] = part_of(*place)
            if (part := self._known[place]) is not None:
                self._counts[part] += 1
                return
            frame = frame.f_back
        self._counts[OTHER] += 1

    def write(self, path: Path) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        path.write_bytes(orjson.dumps(dict(self._counts.most_common())))


def part_of(file: str, function: str) -> str | None:
    """What the time in this function counts as; None: whatever called it decides."""
    return next((part for where, name, part in PARTS if where in file and name in ("", function)), None)


def run() -> None:
    machine_code.load()  # so that loading it does not count
    sampler = Sampler()
    signal.signal(signal.SIGUSR1, sampler.begin)
    signal.signal(signal.SIGPROF, sampler.look)
    try:
        main(SERVICE)
    finally:
        sampler.write(Path(os.environ["SHARES"]))


if __name__ == "__main__":
    run()
