"""Every process is killed with SIGKILL at a random moment of a load: nothing acknowledged is lost or counted twice."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from devstack.stack import Stack

from tests.support.driving import House, Load, eventually


def kill_each(stack: Stack, house: House, rounds: int) -> None:
    before = {service: house.stats(service) for service in ("ingest", "learner_profile", "insights")}
    with Load(stack.description(), learners=12, batch=5, pause_seconds=0.03) as load:
        for name in sorted(stack.names()) * rounds:
            time.sleep(random.uniform(0.2, 1.0))
            stack.kill(name)
            stack.wait_ready(name)
        time.sleep(1)
    load.finish()
    assert len(load.acknowledged) == len(load.ids) > 100
    expected = len(load.ids)
    stack.wait_ready()
    for service, figure in (("ingest", "statements"), ("learner_profile", "evidence"), ("insights", "statements")):
        counted = _grown(house, service, figure, before[service][figure], expected)
        assert counted == expected
    time.sleep(1)  # what would be counted twice would come now
    assert house.stats("insights")["statements"] - before["insights"]["statements"] == expected


def _grown(house: House, service: str, figure: str, before: int, expected: int) -> int:
    """By how much the figure has grown once it has reached what is expected."""
    eventually(
        lambda: house.stats(service)[figure] - before >= expected, seconds=90, what=f"{expected} {figure} at {service}"
    )
    return house.stats(service)[figure] - before


def test_each_process_killed_once_loses_and_repeats_nothing(stack: Stack, house: House) -> None:
    kill_each(stack, house, rounds=1)


@pytest.mark.long
def test_each_process_killed_many_times_loses_and_repeats_nothing(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack, House.of(stack) as house:
        kill_each(stack, house, rounds=5)


def test_ingest_acknowledges_while_kafka_is_away_and_all_arrive_when_it_is_back(stack: Stack, house: House) -> None:
    before = house.stats("learner_profile")["evidence"]
    stack.kill("kafka", restart=False)
    try:
        with Load(stack.description(), learners=3, batch=5, pause_seconds=0.05) as load:
            time.sleep(4)
        assert len(load.acknowledged) == len(load.ids) > 50
        assert house.stats("ingest")["outbox"] >= len(load.ids)
    finally:
        stack.start_program("kafka")
    eventually(
        lambda: house.stats("learner_profile")["evidence"] - before == len(load.ids),
        seconds=90,
        what="every statement at learner_profile",
    )
    assert house.stats("ingest")["outbox"] == 0
