"""Frameworks over HTTP."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import quote

import orjson
import pytest

from tests.integration.recommendation.conftest import Caller

CASE = "https://case.example/uri/"
IMPORT = "/catalog/frameworks/import"


def item(name: str, **more: Any) -> dict[str, Any]:
    return {"identifier": name, "uri": CASE + name, "fullStatement": f"Can do {name}", **more}


def link(origin: str, kind: str, destination: str) -> dict[str, Any]:
    ends = {"originNodeURI": {"identifier": origin, "uri": CASE + origin, "title": ""}}
    return {"associationType": kind, **ends, "destinationNodeURI": {"identifier": destination, "uri": "", "title": ""}}


def package(*items: dict[str, Any], links: list[dict[str, Any]] | None = None) -> bytes:
    document = {"identifier": "doc", "uri": CASE + "doc", "title": "Mathematics 5", "creator": "The state"}
    return orjson.dumps({"CFDocument": document, "CFItems": items, "CFAssociations": links or []})


MATHS = package(
    item("fractions", humanCodingScheme="5.NF", abbreviatedStatement="Fractions"),
    item("halves"),
    item("thirds"),
    links=[
        link("fractions", "isChildOf", "doc"),
        link("halves", "isChildOf", "fractions"),
        link("thirds", "isPartOf", "fractions"),
        link("halves", "precedes", "thirds"),
        link("halves", "exactMatchOf", "thirds"),
        link("thirds", "isChildOf", "elsewhere"),
    ],
)


class TestImport:
    async def test_anonymous_and_other_roles(self, call: Caller) -> None:
        assert (await call("POST", IMPORT, content=MATHS)).status_code == 401
        for role in ("learner", "teacher", "dpo", "authority"):
            assert (await call("POST", IMPORT, role, content=MATHS)).status_code == 403

    async def test_another_tenant_keeps_its_own(self, call: Caller) -> None:
        await call("POST", IMPORT, "operator", content=MATHS, tenant="elsewhere")
        assert (await call("GET", "/catalog/competencies", "app")).json()["items"] == []

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            (b"no", ""),
            (package(item("a", uri="no iri")), "/CFItems/0/uri"),
            (package(item("a"), item("b", uri=CASE + "a")), "/CFItems/1/uri"),
            (package(item("a"), item("doc", uri=CASE + "b")), "/CFItems/1/identifier"),
            (package({"identifier": "a", "uri": CASE}), "/CFItems/0/fullStatement"),
            (orjson.dumps({"CFItems": []}), "/CFDocument"),
        ],
    )
    async def test_what_is_wrong_is_named_and_nothing_is_stored(self, call: Caller, body: bytes, pointer: str) -> None:
        answer = await call("POST", IMPORT, "app", content=body)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["pointer"] == pointer
        assert (await call("GET", "/catalog/competencies", "app")).json()["items"] == []

    async def test_happy_and_again(self, call: Caller) -> None:
        first = (await call("POST", IMPORT, "operator", content=MATHS)).json()
        assert (first["framework"], first["title"]) == (CASE + "doc", "Mathematics 5")
        assert (first["competencies"], first["changed"], first["removed"], first["passed_over"]) == (4, 4, 0, 2)
        again = (await call("POST", IMPORT, "operator", content=MATHS)).json()
        assert (again["changed"], again["unchanged"]) == (0, 4)
        items = {one["id"]: one for one in (await call("GET", "/catalog/competencies", "learner")).json()["items"]}
        assert items[CASE + "fractions"]["parents"] == [CASE + "doc"]
        assert (items[CASE + "fractions"]["title"], items[CASE + "fractions"]["code"]) == ("Fractions", "5.NF")
        assert items[CASE + "thirds"]["parents"] == [CASE + "fractions"]
        assert items[CASE + "thirds"]["prerequisites"] == [CASE + "halves"]

    async def test_pages(self, call: Caller) -> None:
        await call("POST", IMPORT, "app", content=MATHS)
        first = (await call("GET", "/catalog/competencies", "app", limit=3)).json()
        rest = (await call("GET", "/catalog/competencies", "app", cursor=first["next"])).json()
        found = [one["id"] for one in first["items"] + rest["items"]]
        assert found == sorted(CASE + name for name in ("doc", "fractions", "halves", "thirds"))
        assert (await call("GET", "/catalog/competencies", "app", cursor="WzFd")).status_code == 400


class TestShared:
    """An item that two frameworks have."""

    def other(self, *items: dict[str, Any], links: list[dict[str, Any]]) -> bytes:
        document = {"identifier": "other", "uri": CASE + "other", "title": "Craft"}
        return orjson.dumps({"CFDocument": document, "CFItems": items, "CFAssociations": links})

    async def seen(self, call: Caller, name: str) -> dict[str, Any] | None:
        found = (await call("GET", "/catalog/competencies", "app")).json()["items"]
        return next((one for one in found if one["id"] == CASE + name), None)

    async def test_it_is_a_part_of_what_each_says_and_goes_with_the_last(self, call: Caller) -> None:
        up = link("halves", "isChildOf", "measuring")
        craft = self.other(item("measuring"), item("halves", abbreviatedStatement="1/2"), links=[up])
        await call("POST", IMPORT, "operator", content=MATHS)
        told = (await call("POST", IMPORT, "operator", content=craft)).json()
        assert (told["competencies"], told["changed"], told["removed"]) == (3, 3, 0)
        for _ in range(2):
            halves = await self.seen(call, "halves")
            assert halves is not None
            assert (halves["title"], halves["framework"]) == ("Can do halves", CASE + "doc")
            assert halves["parents"] == [CASE + "fractions", CASE + "measuring"]
            again = (await call("POST", IMPORT, "operator", content=MATHS)).json()
            assert (again["changed"], again["removed"]) == (0, 0)
        without = package(item("fractions"), links=[link("fractions", "isChildOf", "doc")])
        assert (await call("POST", IMPORT, "operator", content=without)).json()["removed"] == 2
        halves = await self.seen(call, "halves")
        assert halves is not None
        assert (halves["title"], halves["framework"], halves["parents"]) == (
            "1/2",
            CASE + "other",
            [CASE + "measuring"],
        )
        assert await self.seen(call, "thirds") is None
        empty = self.other(item("measuring"), links=[])
        assert (await call("POST", IMPORT, "operator", content=empty)).json()["removed"] == 1
        assert await self.seen(call, "halves") is None


class TestThreshold:
    """From which probability on a competency counts as mastered."""

    HALVES = f"/catalog/competencies/{quote(CASE + 'halves', safe='')}/threshold"
    HIGH: ClassVar[bytes] = orjson.dumps({"mastery_threshold": 0.9})

    async def test_anonymous_and_other_roles(self, call: Caller) -> None:
        for verb in ("PUT", "DELETE"):
            assert (await call(verb, self.HALVES, content=self.HIGH)).status_code == 401
            for role in ("learner", "teacher", "dpo", "authority"):
                assert (await call(verb, self.HALVES, role, content=self.HIGH)).status_code == 403

    async def test_unknown_of_another_tenant_or_invalid(self, call: Caller) -> None:
        await call("POST", IMPORT, "operator", content=MATHS, tenant="elsewhere")
        assert (await call("PUT", self.HALVES, "operator", content=self.HIGH)).status_code == 404
        await call("POST", IMPORT, "operator", content=MATHS)
        for wrong in ({"mastery_threshold": 0.4}, {"mastery_threshold": 1}, {"mastery_threshold": None}, {}):
            assert (await call("PUT", self.HALVES, "operator", content=orjson.dumps(wrong))).status_code == 400

    async def test_it_is_told_and_outlives_an_import(self, call: Caller) -> None:
        await call("POST", IMPORT, "operator", content=MATHS)
        said = (await call("PUT", self.HALVES, "app", content=self.HIGH)).json()
        assert (said["id"], said["mastery_threshold"]) == (CASE + "halves", 0.9)
        assert (await call("POST", IMPORT, "operator", content=MATHS)).json()["changed"] == 0
        await call("POST", IMPORT, "operator", content=MATHS.replace(b"Can do halves", b"Halves"))
        found = {one["id"]: one for one in (await call("GET", "/catalog/competencies", "app")).json()["items"]}
        assert (found[CASE + "halves"]["title"], found[CASE + "halves"]["mastery_threshold"]) == ("Halves", 0.9)
        assert found[CASE + "thirds"]["mastery_threshold"] is None
        assert (await call("DELETE", self.HALVES, "app")).json()["mastery_threshold"] is None

    async def test_what_leaves_the_framework_leaves_its_threshold(self, call: Caller) -> None:
        await call("POST", IMPORT, "operator", content=MATHS)
        await call("PUT", self.HALVES, "app", content=self.HIGH)
        await call("POST", IMPORT, "operator", content=package(item("thirds")))
        await call("POST", IMPORT, "operator", content=MATHS)
        found = (await call("GET", "/catalog/competencies", "app")).json()["items"]
        assert {one["mastery_threshold"] for one in found} == {None}
