"""Concurrency of document resources (1.0.3 Communication 3.1; 2.0 4.1.4)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conformance.lrs_client import Lrs
from tests.conformance.test_documents_requirements import NEW, RESOURCES, Documents

WRONG = '"1111111111111111111111111111111111111111"'


@pytest.fixture(params=RESOURCES)
def documents(request: pytest.FixtureRequest, lrs: Lrs) -> Documents:
    return Documents.new(lrs, request.param)


class TestEntityTags:
    def test_is_the_quoted_sha1_of_the_content(self, documents: Documents) -> None:
        """1.0.3 3.1: a hexadecimal string of the SHA-1 digest of the contents, in lower case and quotes."""
        documents.keep(b"abc", media_type="text/plain")
        assert documents.tag() == f'"{hashlib.sha1(b"abc").hexdigest()}"'  # noqa: S324 — what the standard demands

    def test_changes_with_the_content(self, documents: Documents) -> None:
        """3.1: in order to detect modifications."""
        documents.keep({"x": 1})
        before = documents.tag()
        documents.send("POST", body={"x": 2})
        assert documents.tag() != before

    def test_lists_have_one(self, documents: Documents) -> None:
        """3.1: an LRS responding to a GET request MUST add an ETag."""
        assert documents.send("GET", None).headers["ETag"].startswith('"')

    def test_get_of_what_is_known_is_304(self, documents: Documents) -> None:
        """RFC 9110 13.1.2: If-None-Match on GET."""
        documents.keep({"x": 1})
        known = documents.send("GET", headers={"If-None-Match": documents.tag()})
        assert (known.status_code, known.content) == (304, b"")


class TestIfMatch:
    @pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
    def test_the_current_tag_lets_through(self, documents: Documents, method: str) -> None:
        """3.1: If-Match with the ETag that was read."""
        documents.keep({"x": 1})
        headers = {"If-Match": documents.tag()}
        assert documents.send(method, body=None if method == "DELETE" else {"x": 2}, headers=headers).status_code == 204
        assert documents.send("GET").status_code == (404 if method == "DELETE" else 200)

    @pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
    def test_another_tag_is_412_and_changes_nothing(self, documents: Documents, method: str) -> None:
        """3.1: 412 Precondition Failed, and no modification."""
        documents.keep({"x": 1})
        body = None if method == "DELETE" else {"x": 2}
        assert documents.send(method, body=body, headers={"If-Match": WRONG}).status_code == 412
        assert documents.send("GET").json() == {"x": 1}

    @pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
    @pytest.mark.parametrize("tag", [WRONG, "*"])
    def test_where_nothing_is_there_is_412(self, documents: Documents, method: str, tag: str) -> None:
        """RFC 9110 13.1.1: If-Match fails where there is no representation."""
        assert documents.send(method, body={}, headers={"If-Match": tag}).status_code == 412
        assert documents.send("GET").status_code == 404


class TestIfNoneMatch:
    @pytest.mark.parametrize("method", ["PUT", "POST"])
    def test_any_lets_only_the_first_through(self, documents: Documents, method: str) -> None:
        """3.1: If-None-Match with * detects a resource that the client is not aware of."""
        answers = [documents.send(method, body={"x": x}, headers=NEW).status_code for x in (1, 2)]
        assert answers == [204, 412]
        assert documents.send("GET").json() == {"x": 1}


class TestNeither:
    def test_a_profile_that_exists_is_409(self, lrs: Lrs) -> None:
        """3.1: 409 Conflict with an explanation, and no modification."""
        for resource in RESOURCES[1:]:
            documents = Documents.new(lrs, resource)
            documents.keep({"x": 1})
            answer = documents.send("PUT", body={"x": 2})
            assert answer.status_code == 409
            assert "check the current state" in answer.json()["detail"]
            assert "If-Match" in answer.json()["detail"]
            assert documents.send("GET").json() == {"x": 1}

    def test_state_that_exists_is_replaced_in_1_0_3_and_409_in_2_0(self, lrs1: Lrs, lrs2: Lrs) -> None:
        """1.0.3 3.1: state permits requests without concurrency headers; 2.0 4.1.4 does not."""
        for lrs, expected in ((lrs1, 204), (lrs2, 409)):
            documents = Documents.new(lrs, "activities/state")
            documents.keep({"x": 1})
            assert documents.send("PUT", body={"x": 2}).status_code == expected

    def test_a_new_profile_is_400_in_1_0_3(self, lrs1: Lrs) -> None:
        """1.0.3 3.1: a client making a PUT request to a profile MUST include one of the two."""
        for resource in RESOURCES[1:]:
            assert Documents.new(lrs1, resource).send("PUT", body={}).status_code == 400

    @pytest.mark.parametrize("method", ["POST", "DELETE"])
    def test_post_and_delete_need_none(self, documents: Documents, method: str) -> None:
        """3.1: only PUT is refused without."""
        documents.keep({"x": 1})
        assert documents.send(method, body=None if method == "DELETE" else {}).status_code == 204


class TestRaces:
    WRITERS = 8

    def _at_once(self, write: Callable[[int], int]) -> list[int]:
        with ThreadPoolExecutor(self.WRITERS) as pool:
            return sorted(pool.map(write, range(self.WRITERS)))

    def test_of_those_that_saw_the_same_one_wins(self, documents: Documents) -> None:
        """3.1: no client overwrites what it has not seen."""
        documents.keep({"x": None})
        seen = {"If-Match": documents.tag()}
        answers = self._at_once(lambda x: documents.send("PUT", body={"x": x}, headers=seen).status_code)
        assert answers == [204] + [412] * (self.WRITERS - 1)

    def test_of_those_that_saw_nothing_one_wins(self, documents: Documents) -> None:
        """3.1: If-None-Match with * lets one through."""
        answers = self._at_once(lambda x: documents.send("PUT", body={"x": x}, headers=NEW).status_code)
        assert answers == [204] + [412] * (self.WRITERS - 1)

    def test_no_merge_is_lost(self, documents: Documents) -> None:
        """2.2: every POST that was answered with 204 is in the document."""
        answers = self._at_once(lambda x: documents.send("POST", body={str(x): x}).status_code)
        assert answers == [204] * self.WRITERS
        assert documents.send("GET").json() == {str(x): x for x in range(self.WRITERS)}
