"""A profile as it is sealed: titles stand by the places of what they name, and come back as they were."""

from datetime import UTC, datetime, timedelta

from learner_model import Evidence, EvidenceKind
from learner_model.folder import Folder
from learner_profile.learners.profiles import Profile
from learner_profile.learners.repository import packed, unpacked

_START = datetime(2026, 3, 2, 8, tzinfo=UTC)
_COURSE = "https://moodle.school.example/course/section.php?id={}"


def profile(titles: dict[str, str]) -> Profile:
    return Profile(tenant="t", learner="a", version=1, folded=Folder().fold_all(map(_answer, range(20))), titles=titles)


def _answer(number: int) -> Evidence:
    at = _START + timedelta(minutes=number)
    return Evidence(
        statement_id=f"{number:08d}-0000-4000-8000-000000000000",
        at=at,
        stored=at,
        activity_id=f"https://moodle.school.example/mod/quiz/view.php?id={number}",
        verb_id="http://adlnet.gov/expapi/verbs/answered",
        kind=EvidenceKind.RESPONSE,
        competencies=((_COURSE.format(number), 1.0),),
        correctness=1.0,
    )


def test_titles_come_back_with_what_they_name() -> None:
    titled = {_COURSE.format(3): "Fractions", _COURSE.format(0): "Numbers", "0": "a name that looks like a place"}
    one = profile(titled)
    assert dict(unpacked(packed(one), Profile(tenant="t", learner="a", version=1)).titles) == titled
    assert packed(one) == packed(profile(dict(reversed(titled.items()))))


def test_a_title_costs_little_more_than_its_own_letters() -> None:
    titled = {_COURSE.format(number): f"Section {number}" for number in range(20)}
    letters = sum(map(len, titled.values()))
    assert len(packed(profile(titled))) - len(packed(profile({}))) <= letters + 20 * len('[10,""],') + 40
