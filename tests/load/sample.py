"""Statements of an ordinary size (about 1.1 kB) by many learners about many activities."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

LEARNERS = 2_000
ACTIVITIES = 400
WALKED_VERB = "http://adlnet.gov/expapi/verbs/completed"
_HOME_PAGE = "https://lms.school.example"
_COURSE = "https://lms.school.example/course/view.php?id={}"
_QUIZ = "https://lms.school.example/mod/quiz/view.php?id={}"
_START = datetime(2026, 1, 1, tzinfo=UTC)
_SHARE_WALKED = 4  # one statement in four has the verb of the walk


def actor(number: int) -> dict[str, Any]:
    """An agent known by its account."""
    return {
        "objectType": "Agent",
        "name": f"Learner {number}",
        "account": {"homePage": _HOME_PAGE, "name": f"learner-{number}"},
    }


def activity(number: int) -> str:
    return _QUIZ.format(number)


def course(number: int) -> str:
    return _COURSE.format(number)


def statements(seed: int = 0) -> Iterator[dict[str, Any]]:
    """Without end; every statement has an id and a time stamp of its own."""
    chance = random.Random(seed)
    number = 0
    while True:
        quiz = chance.randrange(ACTIVITIES)
        walked = number % _SHARE_WALKED == 0
        yield {
            "id": str(uuid4()),
            "actor": actor(chance.randrange(LEARNERS)),
            "verb": {
                "id": WALKED_VERB if walked else "http://adlnet.gov/expapi/verbs/answered",
                "display": {"en": "completed" if walked else "answered"},
            },
            "object": {
                "objectType": "Activity",
                "id": activity(quiz),
                "definition": {
                    "type": "http://adlnet.gov/expapi/activities/assessment",
                    "name": {"en": f"Quiz {quiz}"},
                    "description": {"en": "A short test of what was learned in this part of the course"},
                },
            },
            "result": {
                "score": {"raw": float(chance.randrange(100)), "min": 0, "max": 100},
                "success": chance.random() < 0.7,
                "completion": True,
                "duration": f"PT{chance.randrange(5, 900)}S",
            },
            "context": {
                "registration": str(uuid4()),
                "platform": "Moodle",
                "language": "en",
                "contextActivities": {
                    "grouping": [
                        {
                            "objectType": "Activity",
                            "id": course(quiz % 20),
                            "definition": {
                                "type": "http://id.tincanapi.com/activitytype/lms/course",
                                "name": {"en": f"Course {quiz % 20}"},
                            },
                        }
                    ],
                    "category": [{"objectType": "Activity", "id": "http://moodle.org"}],
                },
            },
            "timestamp": (_START + timedelta(milliseconds=37 * number)).isoformat(timespec="milliseconds"),
        }
        number += 1


def batches(size: int, count: int, seed: int = 0) -> Iterator[list[dict[str, Any]]]:
    endless = statements(seed)
    return ([next(endless) for _ in range(size)] for _ in range(count))
