"""Communication 2.1.3 (1.0.3), 4.1.6.1 (2.0): lists of statements by filters, their order, pages and formats."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import pytest

from tests.conformance.lrs_client import Json, Lrs, activity, agent, reference, statement, voiding


def group(*members: Json, **parts: Any) -> Json:
    return {"objectType": "Group", "member": list(members), **parts}


class TestResult:
    def test_nothing_found_is_an_empty_list(self, lrs: Lrs) -> None:
        """200 and an empty `statements` where nothing matches."""
        answer = lrs.get(agent=agent())
        assert (answer.status_code, answer.json()) == (200, {"statements": [], "more": ""})

    def test_newest_first(self, lrs: Lrs) -> None:
        """In descending order of `stored`; ascending on demand."""
        one = agent()
        sent = [statement(actor=one) for _ in range(3)]
        lrs.keep(*sent)
        ids = [each["id"] for each in sent]
        assert lrs.ids(agent=one) == ids[::-1]
        assert lrs.ids(agent=one, ascending=False) == ids[::-1]
        deadline = time.monotonic() + 10
        while lrs.ids(agent=one, ascending=True) != ids:  # it ends where consistent-through does
            assert time.monotonic() < deadline

    def test_more_leads_to_the_rest(self, lrs: Lrs) -> None:
        """Data 2.5: `more` is a relative IRL with the path; what it leads to is a StatementResult as well."""
        one = agent()
        sent = [statement(actor=one) for _ in range(5)]
        assert lrs.post(sent).status_code == 200
        answer, found, pages = lrs.get(agent=one, limit=2, format="ids"), list[str](), 0
        while True:
            page = answer.json()
            assert all(each["verb"] == {"id": sent[0]["verb"]["id"]} for each in page["statements"])
            found += [each["id"] for each in page["statements"]]
            pages += 1
            if not page["more"]:
                break
            assert page["more"].startswith("/xapi/statements?")
            answer = lrs.http.get(page["more"], headers={"X-Experience-API-Version": lrs.version}, auth=lrs.auth)
            again = lrs.http.get(page["more"], headers={"X-Experience-API-Version": lrs.version}, auth=lrs.auth)
            assert again.json() == answer.json()
        assert (found, pages) == ([each["id"] for each in sent][::-1], 3)

    @pytest.mark.parametrize(("limit", "count"), [(0, 3), (1, 1), (2, 2), (3, 3), (999999999, 3)])
    def test_limit(self, lrs: Lrs, limit: int, count: int) -> None:
        """At most so many; 0 is the most that the server allows."""
        one = agent()
        lrs.keep(*(statement(actor=one) for _ in range(3)))
        assert len(lrs.ids(agent=one, limit=limit)) == count

    def test_since_is_exclusive_and_until_inclusive(self, lrs: Lrs) -> None:
        one = agent()
        sent = [statement(actor=one) for _ in range(3)]
        lrs.keep(*sent)
        first, second, third = (each["id"] for each in sent)
        middle = lrs.stored(sent[1])["stored"]
        assert lrs.ids(agent=one, since=middle) == [third]
        assert lrs.ids(agent=one, until=middle) == [second, first]
        assert lrs.ids(agent=one, since=middle, until=middle) == []

    def test_filters_are_joined_by_and(self, lrs: Lrs) -> None:
        one, verb, registration = agent(), {"id": f"https://example.org/{uuid4()}"}, str(uuid4())
        both = statement(actor=one, verb=verb, context={"registration": registration})
        lrs.keep(both, statement(actor=one), statement(verb=verb), statement(context={"registration": registration}))
        found = lrs.ids(agent=one, verb=verb["id"], registration=registration.upper(), activity=both["object"]["id"])
        assert found == [both["id"]]
        assert lrs.ids(agent=one, verb="https://example.org/other") == []


class TestAgentFilter:
    @pytest.mark.parametrize(
        "identifier",
        [
            {"mbox": "mailto:%s@example.org"},
            {"mbox_sha1sum": "%s"},
            {"openid": "https://%s.example.org/"},
            {"account": {"homePage": "https://example.org", "name": "%s"}},
        ],
        ids=lambda identifier: next(iter(identifier)),
    )
    def test_agents_are_equal_by_their_identifier(self, lrs: Lrs, identifier: Json) -> None:
        unique = f"{uuid4().hex}{uuid4().hex[:8]}"
        one = {
            name: value % unique if isinstance(value, str) else {**value, "name": unique}
            for name, value in identifier.items()
        }
        sent = statement(actor={"objectType": "Agent", "name": "Ada", **one})
        lrs.keep(sent)
        assert lrs.ids(agent=one) == [sent["id"]]
        assert lrs.ids(agent={**one, "name": "Somebody", "objectType": "Agent"}) == [sent["id"]]

    def test_actor_object_and_members_match(self, lrs: Lrs) -> None:
        """The agent is the Actor or the Object, or a member of a Group that is."""
        one = agent()
        sent = [
            statement(actor=one),
            statement(object=one),
            statement(actor=group(one, agent())),
            statement(object=group(one, mbox=agent()["mbox"])),
        ]
        lrs.keep(*sent)
        assert set(lrs.ids(agent=one)) == {each["id"] for each in sent}

    def test_an_identified_group_matches(self, lrs: Lrs) -> None:
        team = {"objectType": "Group", "mbox": agent()["mbox"]}
        sent = statement(actor={**team, "member": [agent()]})
        lrs.keep(sent)
        assert lrs.ids(agent=team) == [sent["id"]]

    def test_related_agents_look_everywhere(self, lrs: Lrs) -> None:
        """related_agents: Actor, Object, authority, instructor, team, and those of a SubStatement."""
        one = agent()
        inner = {"objectType": "SubStatement", "actor": agent(), "verb": {"id": "https://example.org/v"}}
        sent = [
            statement(actor=one),
            statement(context={"instructor": one}),
            statement(context={"team": group(one)}),
            statement(object={**inner, "actor": one, "object": activity()}),
            statement(object={**inner, "object": one}),
            statement(object={**inner, "object": activity(), "context": {"instructor": one}}),
        ]
        lrs.keep(*sent)
        assert set(lrs.ids(agent=one, related_agents=True)) == {each["id"] for each in sent}
        assert lrs.ids(agent=one) == [sent[0]["id"]]
        assert lrs.ids(agent=one, related_agents=False) == [sent[0]["id"]]

    def test_the_authority_is_related(self, lrs: Lrs) -> None:
        sent = statement()
        lrs.keep(sent)
        authority = lrs.stored(sent)["authority"]
        assert sent["id"] in lrs.ids(agent=authority, related_agents=True)
        assert lrs.ids(agent=authority, verb=sent["verb"]["id"]) == []

    def test_2_looks_into_context_agents_and_groups(self, lrs2: Lrs) -> None:
        """2.0 4.1.6.1: contextAgents and contextGroups are related too."""
        one = agent()
        sent = [
            statement(context={"contextAgents": [{"objectType": "contextAgent", "agent": one}]}),
            statement(context={"contextGroups": [{"objectType": "contextGroup", "group": group(one)}]}),
        ]
        lrs2.keep(*sent)
        assert set(lrs2.ids(agent=one, related_agents=True)) == {each["id"] for each in sent}
        assert lrs2.ids(agent=one) == []


class TestActivityFilter:
    def test_the_object_matches(self, lrs: Lrs) -> None:
        one = activity()
        sent = statement(object=one)
        lrs.keep(sent, statement(context={"contextActivities": {"parent": [one]}}))
        assert lrs.ids(activity=one["id"]) == [sent["id"]]

    def test_related_activities_look_everywhere(self, lrs: Lrs) -> None:
        """related_activities: Object, every context activity, and those of a SubStatement."""
        one = activity()
        inner = {"objectType": "SubStatement", "actor": agent(), "verb": {"id": "https://example.org/v"}}
        sent = [
            statement(object=one),
            *(
                statement(context={"contextActivities": {role: [activity(), one]}})
                for role in ("parent", "grouping", "category", "other")
            ),
            statement(object={**inner, "object": one}),
            statement(object={**inner, "object": activity(), "context": {"contextActivities": {"other": [one]}}}),
        ]
        lrs.keep(*sent)
        assert set(lrs.ids(activity=one["id"], related_activities=True)) == {each["id"] for each in sent}


class TestStatementReferences:
    """2.1.3, "Filter Conditions for StatementRefs"."""

    def filters(self, target: Json) -> list[Json]:
        return [
            {"agent": target["actor"]},
            {"verb": target["verb"]["id"]},
            {"activity": target["object"]["id"]},
            {"registration": target["context"]["registration"]},
            {"agent": target["actor"], "verb": target["verb"]["id"], "activity": target["object"]["id"]},
            {"agent": target["context"]["instructor"], "related_agents": True},
            {"activity": target["context"]["contextActivities"]["parent"][0]["id"], "related_activities": True},
        ]

    def target(self) -> Json:
        return statement(
            verb={"id": f"https://example.org/{uuid4()}"},
            context={
                "registration": str(uuid4()),
                "instructor": agent(),
                "contextActivities": {"parent": [activity()]},
            },
        )

    @pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)], ids=["first", "last", "between"])
    def test_a_statement_is_found_by_what_its_target_is_found_by(self, lrs: Lrs, order: tuple[int, ...]) -> None:
        """Recursively, whichever comes first."""
        target = self.target()
        on_target = statement(object=reference(target["id"]))
        on_that = statement(object=reference(on_target["id"]))
        chain = [target, on_target, on_that]
        lrs.keep(*(chain[index] for index in order))
        for params in self.filters(target):
            assert set(lrs.ids(**params)) == {one["id"] for one in chain}, params

    def test_since_until_and_limit_are_its_own(self, lrs: Lrs) -> None:
        """The time and sequence based parameters are applied to the statement that holds the reference."""
        target = self.target()
        after = statement(object=reference(target["id"]))
        lrs.keep(target, after)
        stored = lrs.stored(target)["stored"]
        assert lrs.ids(agent=target["actor"], since=stored) == [after["id"]]
        assert lrs.ids(agent=target["actor"], until=stored) == [target["id"]]
        assert lrs.ids(agent=target["actor"], limit=1) == [after["id"]]

    def test_what_targets_a_voided_statement_is_still_found(self, lrs: Lrs) -> None:
        """2.1.4: a voided statement is not returned; those that target it are, the voiding one too."""
        target = self.target()
        on_target, void = statement(object=reference(target["id"])), voiding(target)
        lrs.keep(target, on_target, void)
        for params in self.filters(target):
            if "verb" not in params:
                assert set(lrs.ids(**params)) == {on_target["id"], void["id"]}, params

    def test_a_reference_in_the_context_changes_nothing(self, lrs: Lrs) -> None:
        target = self.target()
        lrs.keep(target, statement(context={"statement": reference(target["id"])}))
        assert lrs.ids(agent=target["actor"]) == [target["id"]]


class TestFormat:
    def test_exact_gives_back_what_was_sent(self, lrs: Lrs) -> None:
        sent = statement(
            actor={**agent(), "name": "Ada"},
            object={**activity(), "definition": {"name": {"en": "One", "de": "Eins"}}},
        )
        lrs.keep(sent)
        for params in ({}, {"format": "exact"}):
            (found,) = lrs.get(None, agent=sent["actor"], **params).json()["statements"]
            assert {name: found[name] for name in sent} == sent

    def test_ids_gives_the_minimum(self, lrs: Lrs) -> None:
        """Only what identifies agents, activities, verbs and groups; of an anonymous group its members so."""
        one, other = agent(), agent()
        sent = statement(
            actor={**one, "name": "Ada"},
            object={
                "objectType": "SubStatement",
                "actor": group({**other, "name": "Bob"}, name="Class"),
                "verb": {"id": "https://example.org/v", "display": {"en": "v"}},
                "object": {**activity("a"), "definition": {"name": {"en": "A"}}},
            },
        )
        lrs.keep(sent)
        (found,) = lrs.get(agent=one, format="ids").json()["statements"]
        assert found["actor"] == one
        assert found["verb"] == {"id": sent["verb"]["id"]}
        assert found["object"] == {
            "objectType": "SubStatement",
            "actor": {"objectType": "Group", "member": [other]},
            "verb": {"id": "https://example.org/v"},
            "object": {"id": "https://example.org/activities/a"},
        }

    @pytest.mark.parametrize(
        ("accepted", "display", "name"),
        [
            ("de", "de", "de-CH"),
            ("de-CH, en;q=0.5", "de", "de-CH"),
            ("fr, en;q=0.9, de;q=0.1", "en", "fr"),
            ("en;q=0.1, de;q=0.8", "de", "de-CH"),
        ],
    )
    def test_canonical_picks_one_language_of_each_map(self, lrs: Lrs, accepted: str, display: str, name: str) -> None:
        """Accept-Language is applied to each language map alone (RFC 9110 12.5.4)."""
        names = {"fr": "Un", "de-CH": "Eins"}
        sent = statement(object={**activity(), "definition": {"name": names}})
        lrs.keep(sent)
        (found,) = lrs.get({"Accept-Language": accepted}, agent=sent["actor"], format="canonical").json()["statements"]
        assert list(found["verb"]["display"]) == [display]
        assert found["object"]["definition"]["name"] == {name: names[name]}
        assert found["actor"] == sent["actor"]
