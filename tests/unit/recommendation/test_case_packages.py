"""CASE packages as competencies, and the catalog on their frameworks."""

from __future__ import annotations

from typing import Any

from events.payloads import CatalogActivity, CatalogCompetency
from learner_model import LearnerState
from learner_model.reading import fold_all
from recommendation.frameworks.case import circle, framework_of
from recommendation.frameworks.schemas import Package
from recommendation.recommendations.knowledge import Knowledge
from recommendation.recommendations.offers import prepare

from tests.unit.recommendation.test_ranking_stories import NOW, answered

URI = "https://case.example/"


def knowing(*competencies: str) -> LearnerState:
    return fold_all(answered(f"{name} {n}", name, 1.0) for name in competencies for n in range(8))


def package(*names: str, links: list[tuple[str, str, str]]) -> Package:
    def association(link: tuple[str, str, str]) -> dict[str, Any]:
        origin, kind, destination = link
        return {
            "associationType": kind,
            "originNodeURI": URI + origin,
            "destinationNodeURI": {"uri": URI + destination},
        }

    return Package.model_validate(
        {
            "CFDocument": {"identifier": "d", "uri": URI + "d", "title": "Maths"},
            "CFItems": [{"identifier": n, "uri": URI + n, "fullStatement": n} for n in names],
            "CFAssociations": [association(link) for link in links],
        }
    )


def test_ends_are_found_by_uri_alone_and_what_says_nothing_is_counted() -> None:
    links = [("a", "isChildOf", "d"), ("b", "isPartOf", "a"), ("a", "isChildOf", "a"), ("a", "isPeerOf", "b")]
    found = framework_of(package("a", "b", links=links))
    assert {one.id: one.parents for one in found.competencies} == {
        URI + "d": [],
        URI + "a": [URI + "d"],
        URI + "b": [URI + "a"],
    }
    assert found.passed_over == 2
    assert {one.framework for one in found.competencies} == {URI + "d"}


def test_what_comes_before_itself_is_named_by_its_place() -> None:
    links = [("a", "precedes", "b"), ("b", "precedes", "c"), ("a", "isChildOf", "b"), ("c", "precedes", "a")]
    assert circle(package("a", "b", "c", links=links[:3])) == []
    (found,) = circle(package("a", "b", "c", links=links))
    assert found == {
        "pointer": "/CFAssociations/3",
        "detail": "closes a circle of 3 items that each come before the next",
    }


def competency(name: str, *parents: str, before: tuple[str, ...] = ()) -> CatalogCompetency:
    return CatalogCompetency(
        id=name, title=f"Title of {name}", framework="f", parents=list(parents), prerequisites=list(before)
    )


def test_the_catalog_takes_names_prerequisites_and_the_graph() -> None:
    quiz = CatalogActivity(id="q", title="Quiz", competencies=["thirds", "halves"], prerequisites=["words", "other"])
    other = CatalogActivity(id="other", title="Other")
    catalog = prepare([quiz, other], [competency("thirds", "fractions", before=("halves", "counting"))])
    offer = next(one for one in catalog.offers if one.id == "q")
    assert offer.needs == ("words", "counting")
    assert offer.needs_done == ("other",)
    assert catalog.name("thirds") == "Title of thirds"
    assert catalog.frameworks.children == {"fractions": ("thirds",)}


def test_a_parent_is_known_through_its_parts_where_half_of_them_are() -> None:
    competencies = [competency(name, "fractions") for name in ("halves", "thirds", "quarters")]
    frameworks = prepare([], competencies).frameworks
    one = Knowledge(knowing("halves"), NOW, frameworks)
    assert not one.level("fractions").tried
    two = Knowledge(knowing("halves", "thirds"), NOW, frameworks)
    assert two.level("fractions").ready
    nothing = Knowledge(knowing("halves"), NOW)
    assert not nothing.level("fractions").tried


def test_right_answers_on_the_whole_do_not_hide_wrong_ones_on_its_parts() -> None:
    frameworks = prepare([], [competency(name, "fractions") for name in ("halves", "thirds")]).frameworks
    wrong = [answered(f"{name} {n}", name, 0.0) for name in ("halves", "thirds") for n in range(8)]
    state = fold_all([*wrong, *(answered(f"all {n}", "fractions", 1.0) for n in range(8))])
    rolled, alone = Knowledge(state, NOW, frameworks), Knowledge(state, NOW)
    assert alone.level("fractions").ready
    assert not rolled.level("fractions").ready
    assert rolled.success(["fractions"], None) < alone.success(["fractions"], None)


def test_a_part_of_what_is_known_is_thought_likelier() -> None:
    frameworks = prepare([], [competency("halves", "fractions")]).frameworks
    state = knowing("fractions")
    informed, plain = Knowledge(state, NOW, frameworks), Knowledge(state, NOW)
    assert informed.success(["halves"], None) > plain.success(["halves"], None)
    assert not informed.level("halves").tried
