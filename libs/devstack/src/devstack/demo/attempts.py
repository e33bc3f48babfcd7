"""What a pupil did, as the xAPI statements that an LMS would send. Plain functions."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from devstack.demo.pupils import Activity, Attempt

_VERBS: Final = "http://adlnet.gov/expapi/verbs/"
_QUESTION: Final = "http://adlnet.gov/expapi/activities/cmi.interaction"
Statement = dict[str, Any]


def statements(actor: dict[str, Any], attempt: Attempt, ended: datetime) -> list[Statement]:
    """`answered` for each question, then `completed` for the whole, which carries the score and the time taken."""
    step = timedelta(seconds=attempt.seconds / (len(attempt.answers) + 1))
    made = []
    for number, right in enumerate(attempt.answers):
        at = ended - step * (len(attempt.answers) - number)
        made.append(_answered(actor, attempt.activity, number, right, at))
    return [*made, _completed(actor, attempt, ended)]


def _answered(actor: dict[str, Any], activity: Activity, number: int, right: bool, at: datetime) -> Statement:
    return {
        **_statement(actor, "answered", f"{activity['id']}/questions/{number + 1}", at),
        "object": {
            "id": f"{activity['id']}/questions/{number + 1}",
            "definition": {"type": _QUESTION, "interactionType": "other", "name": {"en": f"Question {number + 1}"}},
        },
        "result": {"success": right, "score": {"scaled": float(right)}},
        "context": {"contextActivities": {"parent": [{"id": activity["id"]}]}},
    }


def _completed(actor: dict[str, Any], attempt: Attempt, at: datetime) -> Statement:
    result: dict[str, Any] = {"completion": True, "duration": f"PT{attempt.seconds:.0f}S"}
    if attempt.scaled is not None:
        result |= {"score": {"scaled": attempt.scaled}, "success": attempt.scaled >= 0.5}
    definition = {"name": {"en": attempt.activity["title"]}, "type": attempt.activity["type"]}
    return {
        **_statement(actor, "completed", attempt.activity["id"], at),
        "object": {"id": attempt.activity["id"], "definition": definition},
        "result": result,
    }


def _statement(actor: dict[str, Any], verb: str, activity: str, at: datetime) -> Statement:
    return {
        "id": str(uuid4()),
        "actor": actor,
        "verb": {"id": f"{_VERBS}{verb}", "display": {"en": verb}},
        "object": {"id": activity},
        "timestamp": at.isoformat(),
    }
