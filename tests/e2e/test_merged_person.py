"""One person by two identifiers, through the whole stack: one profile, both again, and one erasure for both."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import uuid4

from devstack.latency import account, answered

from tests.e2e.test_subject_requests import archive, ask, completed, lines, statement_status
from tests.support.driving import House, eventually


def _statements(house: House, learner: str) -> int:
    found = house.get("learner_profile", f"/learners/{learner}").raise_for_status().json()
    return int(found["activity"]["statements"])


def _has(house: House, learner: str, statements: int) -> bool:
    return _statements(house, learner) == statements


def _merge(house: House, agent: dict[str, Any], into: dict[str, Any]) -> dict[str, Any]:
    body = {"agent": agent, "into": into}
    answer = house.http.post(house.url("ingest", "/identities/merge"), json=body, headers=house.token)
    done: dict[str, Any] = answer.raise_for_status().json()
    return done


def test_two_identifiers_of_one_person(house: House) -> None:
    ours, theirs = (account(f"{name}-{uuid4().hex[:8]}") for name in ("ours", "theirs"))
    activity = house.activities(1)[0]
    first, second, third = (answered(who, activity, scaled=1.0, seconds=30) for who in (ours, theirs, theirs))
    house.post_statements([first, second]).raise_for_status()
    ada, other = house.learner_id(ours), house.learner_id(theirs)
    for learner in (ada, other):
        eventually(partial(_has, house, learner, 1), what="the profile of each")

    done = _merge(house, theirs, ours)
    assert (done["learner_id"], done["merged_learner_id"]) == (ada, other)
    eventually(lambda: _statements(house, ada) == 2, what="one profile")
    house.post_statements([third]).raise_for_status()
    eventually(lambda: _statements(house, ada) == _statements(house, other) == 3, what="what came later")
    eventually(
        lambda: house.get("recommendation", f"/learners/{other}/recommendations").json()["learner_id"] == ada,
        what="the person's recommendations by either id",
    )

    undone = house.http.delete(house.url("ingest", f"/identities/merges/{done['id']}"), headers=house.token)
    assert undone.status_code == 204
    eventually(lambda: (_statements(house, ada), _statements(house, other)) == (1, 2), what="both again")

    _merge(house, theirs, ours)
    eventually(lambda: _statements(house, ada) == 3, what="one profile again")
    found = archive(house, ada)
    held = [one["id"] for name in found.namelist() if name.endswith("/statements.jsonl") for one in lines(found, name)]
    assert sorted(held) == sorted(one["id"] for one in (first, second, third))

    request = ask(house, "erasure", ada)
    completed(house, request)
    items = house.get("privacy", "/requests", limit=20).json()["items"]
    (along,) = [one["id"] for one in items if one["details"].get("with") == request]
    completed(house, along)
    assert [statement_status(house, one["id"]) for one in (first, second, third)] == [404, 404, 404]
    assert {house.learner_id(ours), house.learner_id(theirs)}.isdisjoint({ada, other})
