"""What batches and the catalog make of a profile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import orjson
from events.payloads import CatalogActivity, LearnerProfile
from hypothesis import given
from hypothesis import strategies as st
from learner_model import EvidenceKind
from learner_model.folder import Folder
from learner_profile.evidence.claims import Claim
from learner_profile.evidence.intake import sort_out
from learner_profile.evidence.mapping import Mapped, evidence_of, looked_up, mapped
from learner_profile.evidence.reading import Course, Reading, Voiding
from learner_profile.learners.profiles import Profile, Status, built_anew, closed, erased, folded_on, reopened
from learner_profile.learners.publishing import message_of
from msgspec.structs import replace

START = datetime(2026, 1, 1, tzinfo=UTC)
BLANK = Profile(tenant="t", learner="l")
FOLDER = Folder()


def reading(number: int, **more: object) -> Reading:
    plain = Reading(
        statement_id=f"{number:08d}-0000-4000-8000-000000000000",
        at=START + timedelta(minutes=number),
        stored=START + timedelta(days=1, minutes=number),
        activity_id=f"https://lms.example/{number}",
        activity_title=None,
        parents=("https://lms.example/quiz",),
        verb_id="http://adlnet.gov/expapi/verbs/answered",
        kind=EvidenceKind.RESPONSE,
        correctness=float(number % 3 > 0),
        completion=None,
        duration_seconds=None,
        weight=1.0,
        course=Course(id="https://lms.example/course", title=f"Course {number}"),
    )
    return replace(plain, **more)


def as_read(profile: Profile) -> LearnerProfile:
    """What other services read of it."""
    return LearnerProfile.model_validate_json(orjson.dumps(message_of(profile)))


class TestMapping:
    def test_without_a_catalog_it_counts_towards_the_course_and_says_so(self) -> None:
        evidence = evidence_of(reading(1), {})
        assert evidence.competencies == (("https://lms.example/course", 1.0),)
        assert evidence.provisional

    def test_without_catalog_and_course_it_counts_towards_nothing(self) -> None:
        evidence = evidence_of(reading(1, course=None), {})
        assert evidence.competencies == ()
        assert not evidence.provisional

    def test_without_catalog_and_course_it_counts_towards_interest_alone(self) -> None:
        profile = folded_on(BLANK, [reading(1, course=None, tags=("zoology",))], {}, FOLDER)
        assert profile.state is not None
        assert (set(profile.state.interests), profile.state.competencies) == ({"zoology"}, {})
        tagged = {"https://lms.example/1": Mapped(tags=("biology",))}
        assert evidence_of(reading(1, tags=("zoology",)), tagged).tags == ("biology",)

    def test_the_catalog_wins_and_a_question_inherits_from_its_quiz(self) -> None:
        quiz = Mapped((("c/1", 1.0), ("c/2", 0.4)), 0.7, 600.0, ("maths",))
        evidence = evidence_of(reading(1), {"https://lms.example/quiz": quiz})
        assert evidence.competencies == (("c/1", 1.0), ("c/2", 0.4))
        assert (evidence.difficulty, evidence.tags, evidence.expected_seconds) == (0.7, ("maths",), None)
        own = {"https://lms.example/quiz": quiz, "https://lms.example/1": Mapped((("c/3", 1.0),), 0.2, 60.0, ())}
        assert evidence_of(reading(1), own).competencies == (("c/3", 1.0),)

    def test_what_the_statement_names_counts_where_the_catalog_says_nothing(self) -> None:
        claims = (Claim(id="c/7", weight=1.0, title="Seven"), Claim(id="c/8", weight=0.5))
        evidence = evidence_of(reading(1, claims=claims), {})
        assert (evidence.competencies, evidence.provisional) == ((("c/7", 1.0), ("c/8", 0.5)), False)
        assert folded_on(BLANK, [reading(1, claims=claims)], {}, FOLDER).titles == {"c/7": "Seven"}
        quiz = {"https://lms.example/quiz": Mapped((("c/1", 1.0),))}
        assert evidence_of(reading(1, claims=claims), quiz).competencies == (("c/1", 1.0),)
        assert folded_on(BLANK, [reading(1, claims=claims)], quiz, FOLDER).titles == {}

    def test_a_catalog_activity_is_read_with_its_duration(self) -> None:
        activity = CatalogActivity(id="a", title="A", competencies=["c", "c"], duration="PT10M", difficulty=0.3)
        assert mapped(activity) == Mapped((("c", 1.0),), 0.3, 600.0, ())
        assert mapped(activity.model_copy(update={"duration": "soon"})).expected_seconds is None

    def test_only_what_can_matter_is_looked_up(self) -> None:
        assert looked_up([reading(1)]) == {"https://lms.example/1", "https://lms.example/quiz"}


class TestIntake:
    def test_what_has_a_row_is_not_new_and_twice_in_a_batch_is_once(self) -> None:
        intake = sort_out([reading(1), reading(2), reading(2)], {reading(1).statement_id: False})
        assert intake.new == (reading(2),)
        assert not intake.takes_back

    def test_a_voiding_takes_back_what_counted(self) -> None:
        target = reading(1).statement_id
        intake = sort_out([Voiding(target=target)], {target: False})
        assert intake.voided == (target,)
        assert intake.takes_back

    def test_a_voiding_before_or_beside_its_target_is_remembered(self) -> None:
        target = reading(1).statement_id
        both: list[Reading | Voiding] = [reading(1), Voiding(target=target)]
        for batch in (both, both[::-1]):
            intake = sort_out(batch, {})
            assert (intake.new, intake.voided, intake.takes_back) == ((), (target,), False)
        assert sort_out([reading(1)], {target: True}).empty
        assert sort_out([Voiding(target=target)], {target: True}).empty


class TestFolding:
    def test_what_comes_last_is_folded_on(self) -> None:
        one = folded_on(BLANK, [reading(1)], {}, FOLDER)
        two = folded_on(one, [reading(3), reading(2)], {}, FOLDER)
        assert (two.version, two.dirty) == (2, False)
        assert two.reflects is not None
        assert two.reflects[1] == reading(3).statement_id
        assert two.titles == {"https://lms.example/course": "Course 3"}

    def test_what_comes_late_asks_for_a_rebuild_and_keeps_the_old_state_meanwhile(self) -> None:
        one = folded_on(BLANK, [reading(5)], {}, FOLDER)
        late = folded_on(one, [reading(2), reading(9)], {}, FOLDER)
        assert late.dirty
        assert late.state == one.state
        anew = built_anew(late, [reading(9), reading(2), reading(5)], {}, FOLDER)
        assert not anew.dirty
        assert anew.state == folded_on(BLANK, [reading(2), reading(5), reading(9)], {}, FOLDER).state

    def test_reflects_follows_stored_not_evidence_time(self) -> None:
        imported = reading(1, stored=START + timedelta(days=9))
        profile = folded_on(BLANK, [imported, reading(2)], {}, FOLDER)
        assert profile.reflects is not None
        assert profile.reflects[1] == imported.statement_id

    @given(st.permutations(range(8)), st.lists(st.integers(0, 8), max_size=4))
    def test_any_split_in_any_order_ends_in_the_same_profile(self, order: list[int], cuts: list[int]) -> None:
        profile, seen = BLANK, []
        edges = sorted({0, *cuts, 8})
        for start, end in pairwise(edges):
            part = [reading(number) for number in order[start:end]]
            seen += part
            profile = folded_on(profile, part, {}, FOLDER)
            if profile.dirty:
                profile = built_anew(profile, seen, {}, FOLDER)
        whole = built_anew(BLANK, [reading(number) for number in range(8)], {}, FOLDER)
        assert (profile.state, profile.titles, profile.reflects) == (whole.state, whole.titles, whole.reflects)


class TestCollaboration:
    def test_what_groups_reach_is_weak_evidence_and_the_measure_of_collaboration(self) -> None:
        together = [reading(n, weight=0.3, group_members=4, correctness=c) for n, c in ((1, 1.0), (2, 0.5), (3, None))]
        profile = folded_on(BLANK, [*together, reading(4)], {}, FOLDER)
        assert profile.collaboration[:4] == (3, 12, 2, 1.5)
        alone = folded_on(BLANK, [replace(one, weight=1.0, group_members=None) for one in together[:1]], {}, FOLDER)
        assert alone.collaboration.acts == 0
        of_one = folded_on(BLANK, together[:1], {}, FOLDER)
        assert alone.state is not None
        assert of_one.state is not None
        competency = "https://lms.example/course"
        assert of_one.state.competencies[competency].mean < alone.state.competencies[competency].mean

    def test_it_is_the_same_in_any_split_and_goes_with_the_profile(self) -> None:
        together = [reading(n, group_members=3) for n in range(4)]
        whole = built_anew(BLANK, together, {}, FOLDER)
        assert (
            folded_on(folded_on(BLANK, together[:2], {}, FOLDER), together[2:], {}, FOLDER).collaboration
            == whole.collaboration
        )
        assert closed(whole).collaboration.acts == 0


class TestStatus:
    def test_a_closed_profile_keeps_nothing_and_says_so(self) -> None:
        shut = closed(folded_on(BLANK, [reading(1)], {}, FOLDER))
        message = as_read(shut)
        assert (message.status, message.version, message.state, message.reflects) == ("closed", 2, None, None)

    def test_a_reopened_profile_comes_from_its_rows(self) -> None:
        again = reopened(closed(folded_on(BLANK, [reading(1)], {}, FOLDER)))
        assert again.dirty
        assert built_anew(again, [reading(1)], {}, FOLDER).version == 3

    def test_evidence_allowed_again_reopens(self) -> None:
        assert folded_on(closed(BLANK), [reading(1)], {}, FOLDER).status == Status.OPEN

    def test_an_erased_one_is_a_tombstone(self) -> None:
        assert message_of(erased(BLANK)) is None

    def test_an_open_one_says_all(self) -> None:
        profile = folded_on(BLANK, [reading(1, tags=("zoology",)), reading(2, duration_seconds=3.0)], {}, FOLDER)
        message = as_read(profile)
        assert (message.status, message.statements, message.reflects) == ("open", 2, reading(2).statement_id)
        assert message.last_statement_at == reading(2).at
        assert message.state == profile.state
