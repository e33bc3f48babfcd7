"""What a launch may write and read, how callers are slowed, what a token's scopes are."""

from __future__ import annotations

from typing import Any

import pytest
from ingest.credentials.bearer import scopes_of
from ingest.credentials.credential import Rate
from ingest.credentials.limits import Access, Limits, is_open
from ingest.credentials.rates import Buckets
from ingest.credentials.schemas import Scope
from ingest.documents.kinds import ACTIVITY_PROFILE, AGENT_PROFILE, STATE, Kind, Place
from ingest.launches.cmi5 import context_template, launch_url, taken_parameters
from ingest.launches.schemas import Cmi5

ADA = {"account": {"homePage": "https://lms.example.org", "name": "ada"}}
GRACE = {"account": {"homePage": "https://lms.example.org", "name": "grace"}}
AU = "https://lms.example.org/au/1"
REGISTRATION = "760e3480-ba55-4991-94b0-01820dbd23a2"
LIMITS = Limits("launch.1", "account:https://lms.example.org|ada", AU, REGISTRATION)
GOOD: dict[str, Any] = {
    "actor": ADA,
    "verb": {"id": "https://example.org/verbs/answered"},
    "object": {"id": AU},
    "context": {"registration": REGISTRATION},
}
QUESTION = {"id": f"{AU}/question"}


@pytest.mark.parametrize(
    ("parts", "places"),
    [
        ({}, []),
        ({"actor": {**ADA, "objectType": "Agent", "name": "Ada"}}, []),
        ({"context": {"registration": REGISTRATION.upper()}}, []),
        ({"actor": GRACE}, ["/actor"]),
        ({"actor": {"objectType": "Group", "member": [ADA]}}, ["/actor"]),
        ({"actor": {"objectType": "Group", **ADA}}, ["/actor"]),
        ({"context": {}}, ["/context/registration"]),
        ({"object": QUESTION}, ["/object"]),
        (
            {
                "object": QUESTION,
                "context": {"registration": REGISTRATION, "contextActivities": {"parent": [{"id": AU}]}},
            },
            [],
        ),
        ({"object": {"objectType": "SubStatement", **GOOD}}, ["/object"]),
        ({"object": GRACE | {"objectType": "Agent"}}, ["/object"]),
        (
            {
                "verb": {"id": "http://adlnet.gov/expapi/verbs/voided"},
                "object": {"objectType": "StatementRef", "id": REGISTRATION},
                "context": {"registration": REGISTRATION, "contextActivities": {"grouping": {"id": AU}}},
            },
            ["/verb/id"],
        ),
        (
            {"actor": GRACE, "object": QUESTION, "context": {"registration": AU}},
            ["/actor", "/context/registration", "/object"],
        ),
    ],
)
def test_statements(parts: dict[str, Any], places: list[str]) -> None:
    assert [refusal.place for refusal in LIMITS.of_statement(GOOD | parts)] == places


@pytest.mark.parametrize(
    ("kind", "parts", "access", "refused"),
    [
        (STATE, {}, "read", None),
        (STATE, {}, "write", None),
        (STATE, {"name": None}, "read", None),
        (STATE, {"name": None}, "write", "stateId"),
        (STATE, {"name": "LMS.LaunchData"}, "read", None),
        (STATE, {"name": "LMS.LaunchData"}, "write", "stateId"),
        (STATE, {"agent": GRACE}, "read", "agent"),
        (STATE, {"activity": f"{AU}2"}, "read", "activityId"),
        (STATE, {"registration": None}, "read", "registration"),
        (AGENT_PROFILE, {"name": "cmi5LearnerPreferences"}, "read", None),
        (AGENT_PROFILE, {"name": "cmi5LearnerPreferences"}, "write", "profileId"),
        (AGENT_PROFILE, {"name": "cmi5LearnerPreferences", "agent": GRACE}, "read", "agent"),
        (AGENT_PROFILE, {"name": "other"}, "read", "profileId"),
        (AGENT_PROFILE, {"name": None}, "read", "profileId"),
        (ACTIVITY_PROFILE, {"agent": None, "registration": None}, "read", "agent"),
    ],
)
def test_documents(kind: Kind, parts: dict[str, Any], access: Access, refused: str | None) -> None:
    place = Place(kind, **({"activity": AU, "agent": ADA, "registration": REGISTRATION, "name": "bookmark"} | parts))
    refusal = LIMITS.of_document(place, access)
    assert (refusal and refusal.place) == refused


def test_other_resources_are_closed() -> None:
    assert is_open("POST", "/xapi/statements")
    assert not is_open("GET", "/xapi/statements")
    assert not is_open("HEAD", "/xapi/statements")
    for path in ("/xapi/activities", "/xapi/agents", "/xapi/activities/profile", "/xapi/statements/x", "/launches"):
        assert not is_open("GET", path)


def test_a_bucket_fills_again() -> None:
    now = 0.0
    buckets, rate = Buckets(lambda: now), Rate(per_second=2, burst=3)
    assert [buckets.take("a", rate) for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.take("b", rate) == 0
    now = 0.5
    assert [buckets.take("a", rate) for _ in range(2)] == [0, 0.5]
    now = 1000
    assert [buckets.take("a", rate) for _ in range(4)] == [0, 0, 0, 0.5]


@pytest.mark.parametrize(
    ("claim", "scopes"),
    [
        (None, set()),
        (["all"], set()),
        ("openid profile email", set()),
        ("xapi:profile xapi:statements/write state", {Scope.profile, Scope.statements_write, Scope.state}),
        ("statements/delete xapi: All", set()),
    ],
)
def test_scopes_of_a_token(claim: object, scopes: set[Scope]) -> None:
    assert scopes_of(claim) == scopes


def test_the_url_keeps_its_own_query_and_fragment() -> None:
    assert (
        launch_url("https://au.example.org/x?lang=de#top", {"actor": '{"a": 1}', "fetch": "https://x/?k=1"})
        == "https://au.example.org/x?lang=de&actor=%7B%22a%22%3A%201%7D&fetch=https%3A%2F%2Fx%2F%3Fk%3D1#top"
    )
    assert taken_parameters("https://au.example.org/x?Actor=1&fetch=") == ["fetch"]


def test_what_the_lms_adds_stays_in_the_template() -> None:
    given = {
        "language": "de",
        "contextActivities": {"grouping": {"id": "https://lms.example.org/course"}},
        "extensions": {"https://lms.example.org/x": 1},
    }
    template = context_template(Cmi5(publisherId="https://pub.example.org/au", contextTemplate=given), "session")
    assert template["language"] == "de"
    assert template["contextActivities"]["grouping"] == [
        {"id": "https://lms.example.org/course"},
        {"id": "https://pub.example.org/au"},
    ]
    assert template["extensions"] == {
        "https://lms.example.org/x": 1,
        "https://w3id.org/xapi/cmi5/context/extensions/sessionid": "session",
    }
