"""The sample catalog: enough to choose from, and consistent."""

from __future__ import annotations

import json
import re

from devstack.tenant import CATALOG
from events.payloads import CatalogActivity

ACTIVITIES = [CatalogActivity.model_validate(json.loads(line)) for line in CATALOG.read_text().splitlines()]


def test_there_are_enough_and_each_names_a_competency() -> None:
    assert len(ACTIVITIES) >= 60
    assert len({activity.id for activity in ACTIVITIES}) == len(ACTIVITIES)
    assert all(activity.competencies for activity in ACTIVITIES)


def test_prerequisites_are_taught_by_something_and_never_by_themselves() -> None:
    taught = {competency for activity in ACTIVITIES for competency in activity.competencies}
    assert len(taught) >= 14
    assert all(set(activity.prerequisites) <= taught for activity in ACTIVITIES)
    assert any(not activity.prerequisites for activity in ACTIVITIES)


def test_durations_are_iso_8601_and_core_and_electives_are_both_there() -> None:
    assert all(re.fullmatch(r"PT\d+M", activity.duration or "") for activity in ACTIVITIES)
    assert {activity.core for activity in ACTIVITIES} == {True, False}
