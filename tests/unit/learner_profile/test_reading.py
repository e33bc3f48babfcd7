"""Statements of the shapes that real emitters send, read as evidence."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from learner_model import EvidenceKind
from learner_profile.evidence.claims import EXTENSION, TAGS
from learner_profile.evidence.reading import Reading, UnreadableError, Voiding, pack, read, unpack

SELF = {"objectType": "Agent", "account": {"homePage": "https://trellis.invalid/learners", "name": "self"}}
OTHER = {"objectType": "Agent", "account": {"homePage": "https://trellis.invalid/learners", "name": "other-1"}}
ADL = "http://adlnet.gov/expapi/verbs/"
TYPES = "http://id.tincanapi.com/activitytype/"


def statement(verb: str = f"{ADL}answered", **more: Any) -> dict[str, Any]:
    return {
        "id": "0190163d-8694-739b-aea5-966c26f8ad90",
        "actor": SELF,
        "verb": {"id": verb},
        "object": {"id": "https://lms.example/question/1", "definition": {"name": {"en": "A question"}}},
        "timestamp": "2026-03-01T10:00:00Z",
        "stored": "2026-03-01T10:00:01.000001Z",
        **more,
    }


def reading(verb: str = f"{ADL}answered", **more: Any) -> Reading:
    found = read(statement(verb, **more))
    assert isinstance(found, Reading)
    return found


def activity(name: str, kind: str | None = None, title: str | None = None) -> dict[str, Any]:
    definition: dict[str, Any] = {}
    if kind:
        definition["type"] = kind
    if title:
        definition["name"] = {"en": title}
    return {"id": f"https://lms.example/{name}", "definition": definition}


class TestKindAndCorrectness:
    @pytest.mark.parametrize(
        ("verb", "result", "kind", "correctness"),
        [
            (f"{ADL}answered", {"score": {"scaled": 0.75}}, "response", 0.75),
            (f"{ADL}answered", {"success": False}, "response", 0.0),
            (f"{ADL}answered", {}, "exposure", None),
            (f"{ADL}scored", {"score": {"raw": 3, "min": 0, "max": 4}}, "response", 0.75),
            (f"{ADL}scored", {"score": {"scaled": -0.5}}, "response", 0.0),
            (f"{ADL}passed", {}, "response", 1.0),
            (f"{ADL}failed", {}, "response", 0.0),
            (f"{ADL}failed", {"score": {"scaled": 0.4}, "success": False}, "response", 0.4),
            (f"{ADL}mastered", {"completion": True}, "response", 1.0),
            (f"{ADL}completed", {"completion": True}, "completion", None),
            (f"{ADL}completed", {"score": {"scaled": 0.9}, "completion": True}, "response", 0.9),
            (f"{ADL}experienced", {}, "exposure", None),
            (f"{ADL}attempted", {}, "exposure", None),
            (f"{ADL}initialized", {}, "exposure", None),
            (f"{ADL}terminated", {"duration": "PT5M"}, "exposure", None),
            (f"{ADL}progressed", {"score": {"scaled": 0.6}}, "exposure", None),
            ("http://id.tincanapi.com/verb/rated", {"score": {"raw": 4, "min": 0, "max": 5}}, "exposure", None),
            ("http://id.tincanapi.com/verb/viewed", {}, "exposure", None),
            ("https://w3id.org/xapi/video/verbs/played", {}, "exposure", None),
            ("https://w3id.org/xapi/adl/verbs/satisfied", {}, "exposure", None),
            ("http://activitystrea.ms/schema/1.0/submit", {"completion": True}, "completion", None),
            ("https://example.org/verbs/danced", {"success": True}, "response", 1.0),
            ("https://example.org/verbs/danced", {}, "exposure", None),
        ],
    )
    def test_verbs_and_results(self, verb: str, result: dict[str, Any], kind: str, correctness: float | None) -> None:
        found = reading(verb, result=result)
        assert (found.kind, found.correctness) == (EvidenceKind(kind), correctness)

    def test_what_a_statement_refers_to_is_kept_and_decides_nothing_by_itself(self) -> None:
        context = {"statement": {"objectType": "StatementRef", "id": "0190163D-8694-739B-AEA5-966C26F8AD91"}}
        found = reading(f"{ADL}passed", result={"score": {"scaled": 1}}, context=context)
        assert (found.kind, found.refers_to) == ("response", "0190163d-8694-739b-aea5-966c26f8ad91")

    def test_a_running_grade_is_a_summary(self) -> None:
        result = {"score": {"raw": 3, "min": 0, "max": 4}}
        assert reading("http://id.tincanapi.com/verb/earned", result=result).kind == "summary"

    def test_a_groups_result_is_weak_evidence(self) -> None:
        group = {"extensions": {"https://trellis.invalid/extensions/group": {"name": "other-1", "members": 4}}}
        found = reading(context=group)
        assert found.weight < reading().weight == 1.0
        assert (found.group_members, found.of_group) == (4, False)

    def test_a_group_of_whom_no_one_is_known_is_kept_and_not_folded(self) -> None:
        itself = {"extensions": {"https://trellis.invalid/extensions/group": {"name": "self", "members": 0}}}
        assert reading(context=itself).of_group

    @pytest.mark.parametrize("forged", ["x", {"members": 4}, {"name": "other-1", "members": "4"}, [1]])
    def test_what_an_emitter_writes_in_the_groups_place_is_no_mark(self, forged: Any) -> None:
        found = reading(context={"extensions": {"https://trellis.invalid/extensions/group": forged}})
        assert (found.weight, found.group_members) == (1.0, None)

    def test_an_object_that_is_no_activity_counts_and_moves_nothing(self) -> None:
        found = reading(f"{ADL}mentioned", object=OTHER, result={"success": True})
        assert (found.kind, found.activity_id, found.correctness) == ("summary", "", None)


class TestTimes:
    def test_evidence_time_is_the_earlier_of_timestamp_and_stored(self) -> None:
        assert reading().at.isoformat() == "2026-03-01T10:00:00+00:00"
        future = reading(timestamp="2030-01-01T00:00:00Z")
        assert future.at == future.stored
        assert (future.ahead, reading().ahead) == (True, False)

    def test_a_duration_is_read_in_seconds(self) -> None:
        assert reading(result={"duration": "PT1M30.5S"}).duration_seconds == 90.5


class TestCourse:
    def test_a_section_wins_over_the_course_and_never_the_site(self) -> None:
        grouping = [
            activity("site", f"{TYPES}site", "Our school"),
            activity("course", f"{TYPES}course", "Biology"),
            activity("lesson", "http://adlnet.gov/expapi/activities/lesson", "Cells"),
        ]
        found = reading(context={"contextActivities": {"grouping": grouping}}).course
        assert found is not None
        assert (found.id, found.title) == ("https://lms.example/lesson", "Cells")
        found = reading(context={"contextActivities": {"grouping": grouping[:2]}}).course
        assert found is not None
        assert found.id == "https://lms.example/course"
        assert reading(context={"contextActivities": {"grouping": grouping[:1]}}).course is None

    def test_without_a_known_type_the_first_parent_counts_then_the_first_grouping(self) -> None:
        activities = {"parent": [activity("quiz")], "grouping": [activity("thing")]}
        found = reading(context={"contextActivities": activities}).course
        assert found is not None
        assert found.id == "https://lms.example/quiz"
        del activities["parent"]
        found = reading(context={"contextActivities": {"grouping": activities["grouping"][0]}}).course
        assert found is not None
        assert (found.id, found.title) == ("https://lms.example/thing", None)

    def test_a_course_seen_by_itself_counts_towards_itself(self) -> None:
        course = activity("course", f"{TYPES}lms/course", "Biology")
        site = [activity("site", f"{TYPES}site")]
        found = reading(object=course, context={"contextActivities": {"grouping": site}}).course
        assert found is not None
        assert found.title == "Biology"


class TestClaims:
    def test_competencies_among_the_context_activities_with_weights(self) -> None:
        activities = {
            "category": [
                activity("c1", "https://example.org/types/competency", "Adding"),
                activity("tag", f"{TYPES}tag"),
            ],
            "grouping": [activity("c2", "http://adlnet.gov/expapi/activities/objective"), activity("c1", "x/skill")],
            "other": activity("c3", "https://example.org/Standard"),
        }
        found = reading(context={"contextActivities": activities}).claims
        assert [(one.id.rsplit("/", 1)[-1], one.weight, one.title) for one in found] == [
            ("c1", 1.0, "Adding"),
            ("c2", 0.5, None),
            ("c3", 0.5, None),
        ]

    @pytest.mark.parametrize(
        ("extension", "claims"),
        [
            (["c:1", "c:2"], [("c:1", 1.0), ("c:2", 1.0)]),
            ({"c:1": 0.25, "c:2": 1}, [("c:1", 0.25), ("c:2", 1.0)]),
            ({"c:1": 0, "c:2": 3, "c:3": "much", "no iri": 1}, []),
            (["no iri", 3, {"c:1": 1}], []),
            ("c:1", []),
            ([f"c:{number}" for number in range(20)], [(f"c:{number}", 1.0) for number in range(8)]),
        ],
    )
    def test_competencies_of_the_activitys_definition(self, extension: Any, claims: list[tuple[str, float]]) -> None:
        target = {"id": "https://a.example/1", "definition": {"extensions": {EXTENSION: extension}}}
        assert [(one.id, one.weight) for one in reading(object=target).claims] == claims


class TestTags:
    def test_those_of_the_activity_itself_come_first(self) -> None:
        categories = {"category": [activity("biology", f"{TYPES}category", "Biology")]}
        target = {"id": "https://a.example/1", "definition": {"extensions": {TAGS: ["zoology", " ", 3, "zoology"]}}}
        assert reading(context={"contextActivities": categories}).tags == ("Biology",)
        assert reading(object=target, context={"contextActivities": categories}).tags == ("zoology",)

    def test_profiles_platforms_competencies_and_what_has_no_name_are_no_tags(self) -> None:
        categories = [
            activity("p", f"{TYPES}profile", "cmi5"),
            activity("c", f"{TYPES}competency", "Fractions"),
            activity("n", f"{TYPES}category", "x" * 61),
            {"id": "https://a.example/nameless"},
        ]
        assert reading(context={"contextActivities": {"category": categories}}).tags == ()


class TestWhoseEvidence:
    def test_what_others_did_is_no_evidence_about_the_learner(self) -> None:
        assert read(statement(actor=OTHER)) is None

    @pytest.mark.parametrize("role", ["instructor", "authority"])
    def test_neither_instructor_nor_authority_is_evidence_about_oneself(self, role: str) -> None:
        sent = statement(actor=OTHER, result={"success": True})
        assert read({**sent, role: SELF} if role == "authority" else {**sent, "context": {role: SELF}}) is None

    def test_a_voiding_names_its_target_whoever_sent_it(self) -> None:
        voiding = statement(
            f"{ADL}voided",
            actor=OTHER,
            object={"objectType": "StatementRef", "id": "0190163D-8694-739B-AEA5-966C26F8AD91"},
        )
        assert read(voiding) == Voiding(target="0190163d-8694-739b-aea5-966c26f8ad91")

    @pytest.mark.parametrize("broken", [{}, {"verb": 3}, statement(stored="yesterday"), statement(result=[])])
    def test_what_cannot_be_read_is_refused_in_one_kind_of_error(self, broken: dict[str, Any]) -> None:
        with pytest.raises(UnreadableError):
            read(broken)


def test_a_reading_survives_its_bytes() -> None:
    found = reading(
        result={"score": {"scaled": 0.3}, "duration": "PT3S", "completion": True},
        context={"contextActivities": {"parent": [activity("course", f"{TYPES}course", "Biologie")]}},
    )
    assert unpack(pack(found)) == found


class TestBytes:
    def test_what_is_left_open_is_not_written_and_comes_back(self) -> None:
        plain = reading(result={"success": True})
        assert b"watched" not in pack(plain)
        assert b"null" in pack(plain), "what has no default is told, even as nothing"
        assert unpack(pack(plain)) == plain

    def test_rows_from_before_tell_every_field_and_perhaps_one_that_is_gone(self) -> None:
        around = {"grouping": [activity("course", f"{TYPES}course", "Biology")], "category": [activity("t", None, "x")]}
        now = reading(result={"score": {"scaled": 0.5}}, context={"contextActivities": around})
        before = {name: getattr(now, name) for name in now.__struct_fields__} | {"gone": 1}
        for name in ("course", "marks"):
            before[name] = {one: getattr(before[name], one) for one in before[name].__struct_fields__}
        assert unpack(orjson.dumps(before)) == now
