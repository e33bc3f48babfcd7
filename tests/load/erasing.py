"""How long from an erasure's request to "closed to the services": `python -m tests.load.erasing`."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from uuid import uuid4

from devstack.latency import account, answered
from devstack.stack import Stack

from tests.load.machine import machine, say
from tests.support.driving import House, Load


def measure(*, learners: int, statements: int, pause_seconds: float) -> None:
    """Each of so many learners with so many statements is erased, one after the other, while others are recorded."""
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack, House.of(stack) as house:
        activity = house.activities(1)[0]
        waiting = []
        for _ in range(learners):
            actor = account(f"leaving-{uuid4().hex[:8]}")
            waiting.append(house.learner_id(actor))
            for _ in range(statements // 100):
                batch = [answered(actor, activity, scaled=1.0, seconds=30) for _ in range(100)]
                house.post_statements(batch).raise_for_status()
        say(f"{learners} learners with {statements:,} statements each are recorded")
        with Load(stack.description(), learners=200, batch=20, pause_seconds=pause_seconds) as load:
            took = sorted(erased(house, learner) for learner in waiting)
        sent = len(load.ids)
        say(f"beside {sent:,} statements of others: median {took[len(took) // 2]:.1f} s, worst {took[-1]:.1f} s")


def erased(house: House, learner: str) -> float:
    """Seconds from the request to `completed`."""
    began = time.perf_counter()
    body = {"type": "erasure", "learner_id": learner}
    made = house.http.post(house.url("privacy", "/requests"), json=body, headers=house.token).json()
    while (found := house.get("privacy", f"/requests/{made['id']}").json())["status"] != "completed":
        if time.perf_counter() - began > 300:
            raise TimeoutError(f"{found['status']}, silent: {found['silent']}")
        time.sleep(0.2)
    took = time.perf_counter() - began
    counts = {receipt["service"]: receipt["counts"] for receipt in found["receipts"]}
    say(f"  {took:5.1f} s, ingest removed {counts['ingest']['statements']:,} statements")
    return took


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--learners", type=int, default=10)
    parser.add_argument("--statements", type=int, default=10_000)
    parser.add_argument("--pause-seconds", type=float, default=0.1)
    given = parser.parse_args()
    say(machine())
    measure(learners=given.learners, statements=given.statements, pause_seconds=given.pause_seconds)
