"""Activities resource (1.0.3 Communication 2.5; 2.0 4.1.6.4)."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.conformance.lrs_client import Json, Lrs, activity, reference, statement


def defined(name: Json, activity_id: str | None = None, **more: Json) -> Json:
    return activity() | ({"id": activity_id} if activity_id else {}) | {"definition": {"name": name, **more}}


def found(lrs: Lrs, activity_id: str) -> Json:
    answer = lrs.send("GET", "activities", {"activityId": activity_id})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_an_unknown_activity_is_still_an_activity(lrs: Lrs) -> None:
    """2.5: without a canonical definition the LRS still returns an Activity object."""
    wanted = f"https://example.org/{uuid4()}"
    assert found(lrs, wanted) == {"objectType": "Activity", "id": wanted}


def test_the_complete_activity_is_returned(lrs: Lrs) -> None:
    """2.5: loads the complete Activity object."""
    one = defined({"en": "Test"}, description={"en": "A test"}, extensions={"https://e.org/x": {"a": [1.0, None]}})
    lrs.keep(statement(object=one))
    assert found(lrs, one["id"]) == one


def test_what_several_statements_say_comes_together(lrs: Lrs) -> None:
    """2.5: both language descriptions where two statements gave one each, also in one batch."""
    one = defined({"en": "Meeting"})
    other = defined({"fr": "Réunion"}, one["id"])
    assert lrs.post([statement(object=one), statement(object=other)]).status_code == 200
    lrs.keep(statement(object=defined({"de": "Treffen"}, one["id"])))
    assert found(lrs, one["id"])["definition"]["name"] == {"en": "Meeting", "fr": "Réunion", "de": "Treffen"}


def test_a_statement_without_a_definition_takes_nothing_away(lrs: Lrs) -> None:
    """2.5: all available information."""
    one = defined({"en": "Test"})
    lrs.keep(statement(object=one), statement(object={"id": one["id"]}))
    assert found(lrs, one["id"]) == one


def test_activities_in_context_and_substatements_count(lrs: Lrs) -> None:
    """2.5: information from any statement."""
    parent, inner = defined({"en": "Parent"}), defined({"en": "Inner"})
    sub = {key: value for key, value in statement(object=inner).items() if key != "id"}
    context = {"contextActivities": {"parent": [parent]}}
    lrs.keep(statement(object={"objectType": "SubStatement", **sub}, context=context))
    assert [found(lrs, one["id"]) for one in (parent, inner)] == [parent, inner]


def test_canonical_statements_have_the_canonical_definition(lrs: Lrs) -> None:
    """2.1.3: canonical returns activities populated with the canonical definition, in one language."""
    one = defined({"en": "Test"})
    first = statement(object=one)
    lrs.keep(first, statement(object=defined({"de": "Prüfung"}, one["id"])))
    params = {"statementId": first["id"], "format": "canonical"}
    answer = lrs.send("GET", "statements", params, headers={"Accept-Language": "de"})
    assert answer.json()["object"]["definition"]["name"] == {"de": "Prüfung"}
    listed = lrs.send(
        "GET", "statements", {"activity": one["id"], "format": "canonical"}, headers={"Accept-Language": "de"}
    )
    assert [s["object"]["definition"]["name"] for s in listed.json()["statements"]] == [{"de": "Prüfung"}] * 2
    assert lrs.stored(first)["object"] == one


def test_canonical_goes_where_there_are_no_activities(lrs: Lrs) -> None:
    """2.1.3: other objects stay as they are."""
    target = statement()
    one = statement(object=reference(target["id"]))
    lrs.keep(one)
    answer = lrs.send("GET", "statements", {"statementId": one["id"], "format": "canonical"})
    assert answer.json()["object"] == one["object"]


@pytest.mark.parametrize("params", [{}, {"activityId": "true"}, {"activityId": "https://e.org/a", "foo": "1"}])
def test_wrong_parameters_are_refused(lrs: Lrs, params: Json) -> None:
    """2.5: activityId is required, and an IRI; 3.2: what is unknown is a 400."""
    assert lrs.send("GET", "activities", params).status_code == 400


def test_head_is_get_without_content(lrs: Lrs) -> None:
    """1.1: HEAD."""
    params = {"activityId": "https://example.org/a"}
    head, get = (lrs.send(method, "activities", params) for method in ("HEAD", "GET"))
    assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", get.headers["ETag"])
