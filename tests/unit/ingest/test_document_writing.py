"""What a write makes of a document, and where documents stand: plain functions."""

from __future__ import annotations

import hashlib
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest.documents.conditions import Conditions, PreconditionFailed, tag_of
from ingest.documents.kinds import ACTIVITY_PROFILE, AGENT_PROFILE, KINDS, STATE, Place
from ingest.documents.writing import Content, Write
from service_kit.problems import BadRequest, Conflict, TooLarge
from xapi import Version
from xapi.exact import dumps, loads

JSON = "application/json"
TAG = tag_of(b"{}")
REGISTRATION = "0d2b5d1e-7a44-4f5a-9f2b-6f5f6a7b8c9d"
names = st.text(min_size=1, max_size=20)
NUMBERS = st.integers(-(2**63), 2**63)


def json_content(text: str) -> Content:
    return Content(text.encode(), JSON)


class TestConditions:
    def test_tag_is_the_sha1(self) -> None:
        assert tag_of(b"abc") == hashlib.sha1(b"abc").hexdigest()  # noqa: S324 — what 1.0.3 demands

    @pytest.mark.parametrize("header", [f'"{TAG}"', TAG, "*", f'"other", "{TAG}"', f' "a" ,"{TAG}" '])
    def test_match_holds(self, header: str) -> None:
        Conditions(match=header).check(TAG)

    @pytest.mark.parametrize("header", ['"other"', f'W/"{TAG}"', "", '"', f'"{TAG.upper()}"'])
    def test_match_fails(self, header: str) -> None:
        with pytest.raises(PreconditionFailed):
            Conditions(match=header).check(TAG)

    @pytest.mark.parametrize("header", ["*", f'"{TAG}"'])
    def test_match_fails_where_there_is_nothing(self, header: str) -> None:
        with pytest.raises(PreconditionFailed):
            Conditions(match=header).check(None)

    @pytest.mark.parametrize("header", ["*", f'"{TAG}"', f'W/"{TAG}"'])
    def test_none_match(self, header: str) -> None:
        Conditions(none_match=header).check(None)
        with pytest.raises(PreconditionFailed):
            Conditions(none_match=header).check(TAG)

    def test_none_match_of_another_holds(self) -> None:
        Conditions(none_match='"other"').check(TAG)


class TestWrite:
    none = Conditions()

    @pytest.mark.parametrize("method", ["PUT", "POST"])
    def test_new(self, method: Literal["PUT", "POST"]) -> None:
        content = Content(b"\x00\xff", "image/png")
        assert Write(method, self.none, content, is_guarded=True).outcome(None) == content

    def test_put_takes_the_place(self) -> None:
        assert Write("PUT", self.none, json_content("[1]")).outcome(json_content("{}")) == json_content("[1]")

    def test_put_without_condition_where_guarded(self) -> None:
        with pytest.raises(Conflict, match="If-Match"):
            Write("PUT", self.none, json_content("{}"), is_guarded=True).outcome(json_content("{}"))

    def test_put_without_condition_where_demanded(self) -> None:
        with pytest.raises(BadRequest, match="If-None-Match"):
            Write("PUT", self.none, json_content("{}"), is_demanded=True).outcome(None)

    def test_delete(self) -> None:
        assert Write("DELETE", Conditions(match=f'"{TAG}"')).outcome(json_content("{}")) is None

    def test_merge_is_one_level_deep_and_keeps_numbers(self) -> None:
        before = json_content('{"a":{"x":1,"y":2},"b":1.0,"c":12345678901234567890123}')
        after = Write("POST", self.none, json_content('{"a":{"z":3},"d":1E5}')).outcome(before)
        assert after is not None
        assert after.data == b'{"a":{"z":3},"b":1.0,"c":12345678901234567890123,"d":1E5}'

    @given(old=st.dictionaries(names, NUMBERS), new=st.dictionaries(names, NUMBERS))
    def test_merge_is_that_of_dicts(self, old: dict[str, int], new: dict[str, int]) -> None:
        before, posted = (Content(dumps(value), JSON) for value in (old, new))
        after = Write("POST", self.none, posted).outcome(before)
        assert after is not None
        assert loads(after.data) == old | new

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (Content(b"{}", "text/plain"), json_content("{}")),
            (json_content("{}"), Content(b"{}", "text/plain")),
            (json_content("[1]"), json_content("{}")),
            (json_content("{"), json_content("{}")),
            (json_content("{}"), json_content("[1]")),
        ],
    )
    def test_what_cannot_be_merged(self, old: Content, new: Content) -> None:
        with pytest.raises(BadRequest):
            Write("POST", self.none, new).outcome(old)

    @pytest.mark.parametrize("body", ["", "{", "[]", '"a"', "null", '{"a":1,"a":2}'])
    def test_posted_json_is_an_object(self, body: str) -> None:
        with pytest.raises(BadRequest):
            Write("POST", self.none, json_content(body)).check()

    def test_parameters_of_the_media_type_do_not_matter(self) -> None:
        posted = Content(b"{}", "Application/JSON; charset=utf-8")
        assert Write("POST", self.none, posted).outcome(json_content("{}")) is not None

    def test_merged_beyond_the_limit(self) -> None:
        half = f'"{"x" * (5 * 1024 * 1024)}"'
        with pytest.raises(TooLarge):
            Write("POST", self.none, json_content(f'{{"a":{half}}}')).outcome(json_content(f'{{"b":{half}}}'))


class TestPlace:
    @given(
        st.lists(st.tuples(names, st.sampled_from([None, REGISTRATION]), names), min_size=2, max_size=2, unique=True)
    )
    def test_state_keys_are_distinct_and_in_their_contexts(self, found: list[tuple[str, str | None, str]]) -> None:
        places = [Place(STATE, f"https://e.org/{a}", {}, registration, name) for a, registration, name in found]
        keys = [place.key("t", "agent") for place in places]
        assert keys[0] != keys[1]
        for place, key in zip(places, keys, strict=True):
            assert key.startswith(place.context("t", "agent"))
            assert key.startswith(Place(STATE, place.activity, {}).context("t", "agent"))

    def test_keys_tell_no_names(self) -> None:
        """And one name is another digest for another agent."""
        place = Place(STATE, "https://e.org/a", {}, REGISTRATION, "of-ada")
        key, other = place.key("t", "agent"), place.key("t", "another")
        assert "ada" not in key
        assert REGISTRATION not in key
        assert not set(key.split("/")[4:]) & set(other.split("/")[4:])

    def test_no_context_begins_with_another(self) -> None:
        contexts = {
            Place(STATE, "https://e.org/a", {}).context("t", "agent"),
            Place(ACTIVITY_PROFILE, "https://e.org/a").context("t", None),
            Place(AGENT_PROFILE, agent={}).context("t", "agent"),
            Place(AGENT_PROFILE, agent={}).context("t2", "agent"),
        }
        assert not any(one != other and one.startswith(other) for one in contexts for other in contexts)

    def test_only_state_in_1_0_3_is_put_without_conditions(self) -> None:
        unguarded = {(k.key, v) for k in KINDS for v in Version if not k.is_guarded(v)}
        assert unguarded == {("state", Version.V1_0_3)}

    def test_new_profiles_demand_a_condition_in_1_0_3(self) -> None:
        demanding = {(k.key, v) for k in KINDS for v in Version if k.demands_condition(v)}
        assert demanding == {("activity", Version.V1_0_3), ("agent", Version.V1_0_3)}
