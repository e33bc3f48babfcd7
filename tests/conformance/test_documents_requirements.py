"""Document resources, one mechanism for three (1.0.3 Communication 2.2, 2.3, 2.6, 2.7; 2.0 4.1.6.2, 5, 6)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.conformance.lrs_client import Json, Lrs, agent

NEW = {"If-None-Match": "*"}
RESOURCES = ("activities/state", "activities/profile", "agents/profile")
NOT_AGENTS = ("", "ada", "[]", "{}", '{"mbox":"ada@example.org"}', '{"mbox":"mailto:a@e.org","openid":"https://a.e"}')
NOT_IRIS = ("", "true", "example.org/a", "https://e.org/a b")
NOT_UUIDS = ("", "true", "3f2b", "{0d2b5d1e-7a44-4f5a-9f2b-6f5f6a7b8c9d}")
NOT_TIMES = ("", "not a timestamp", "2026", "2026-02-30T00:00:00Z", "2026-02-03T04:05:06-00:00")


@dataclass
class Documents:
    """One resource in a context that nobody else uses; `id` is the parameter that names a document."""

    lrs: Lrs
    resource: str
    context: Json

    @classmethod
    def new(cls, lrs: Lrs, resource: str) -> Documents:
        context: Json = {}
        if resource.startswith("activities"):
            context["activityId"] = f"https://example.org/{uuid4()}"
        if resource != "activities/profile":
            context["agent"] = agent()
        return cls(lrs, resource, context)

    @property
    def id(self) -> str:
        return "stateId" if self.resource == "activities/state" else "profileId"

    def send(
        self,
        method: str,
        name: str | None = "a",
        body: Any = None,
        headers: Mapping[str, str | None] | None = None,
        **params: Any,
    ) -> httpx2.Response:
        named = {} if name is None else {self.id: name}
        chosen = {key: value for key, value in (self.context | named | params).items() if value is not None}
        return self.lrs.send(method, self.resource, chosen, body, headers)

    def keep(self, body: Any, name: str = "a", media_type: str = "application/json", **params: Any) -> None:
        answer = self.send("PUT", name, body, NEW | {"Content-Type": media_type}, **params)
        assert answer.status_code == 204, answer.text

    def content(self, name: str = "a", **params: Any) -> bytes:
        answer = self.send("GET", name, **params)
        assert answer.status_code == 200, answer.text
        return answer.content

    def names(self, **params: Any) -> list[str]:
        answer = self.send("GET", None, **params)
        assert answer.status_code == 200, answer.text
        return list(answer.json())

    def tag(self, name: str = "a") -> str:
        return self.send("GET", name).headers["ETag"]


@pytest.fixture(params=RESOURCES)
def documents(request: pytest.FixtureRequest, lrs: Lrs) -> Documents:
    return Documents.new(lrs, request.param)


@pytest.fixture
def state(lrs: Lrs) -> Documents:
    return Documents.new(lrs, "activities/state")


def refused(answer: httpx2.Response, parameter: str) -> bool:
    return answer.status_code == 400 and parameter in {error.get("parameter") for error in answer.json()["errors"]}


class TestContent:
    @pytest.mark.parametrize("media_type", ["image/png", "text/plain; charset=latin-1", "text/html", "x/y;z=1"])
    def test_any_media_type_comes_back_byte_for_byte(self, documents: Documents, media_type: str) -> None:
        """2.2: contents are arbitrary binary data."""
        documents.keep(b"\x00\xff\r\n{", media_type=media_type)
        found = documents.send("GET")
        assert (found.content, found.headers["Content-Type"]) == (b"\x00\xff\r\n{", media_type)

    def test_json_that_is_put_is_not_changed(self, documents: Documents) -> None:
        """2.2: a PUT stores what was sent."""
        body = b'{ "b":1.0,\n"a":[ 12345678901234567890123 ]}'
        documents.keep(body)
        assert documents.content() == body

    def test_an_empty_document_is_one(self, documents: Documents) -> None:
        """2.2: contents may be of any length."""
        documents.keep(b"", media_type="text/plain")
        assert documents.content() == b""

    @pytest.mark.parametrize("method", ["PUT", "POST"])
    def test_the_answer_is_204_without_content(self, documents: Documents, method: str) -> None:
        """2.3, 2.6, 2.7: PUT, POST and DELETE return 204 No Content."""
        stored, deleted = documents.send(method, body={"x": 1}, headers=NEW), documents.send("DELETE")
        assert [(one.status_code, one.content) for one in (stored, deleted)] == [(204, b""), (204, b"")]

    def test_unknown_agents_and_activities_are_no_reason_to_refuse(self, documents: Documents) -> None:
        """2.2: the LRS MUST NOT reject documents on the basis of not having prior knowledge."""
        assert documents.send("POST", body={"x": 1}).status_code == 204

    def test_head_is_get_without_content(self, documents: Documents) -> None:
        """1.1: the LRS MUST respond to HEAD as to GET, without a body."""
        documents.keep({"x": 1})
        for name in ("a", None):
            head, get = documents.send("HEAD", name), documents.send("GET", name)
            assert (head.status_code, head.content) == (200, b"")
            for header in ("ETag", "Last-Modified", "Content-Type", "Content-Length"):
                assert head.headers[header] == get.headers[header]

    def test_what_is_not_there_is_404(self, documents: Documents) -> None:
        """3.2: 404 where the requested document was not found."""
        assert documents.send("GET").status_code == 404
        documents.keep({"x": 1})
        documents.send("DELETE")
        assert [documents.send(method).status_code for method in ("GET", "HEAD")] == [404, 404]
        assert documents.names() == []

    def test_to_delete_what_is_not_there_is_204(self, documents: Documents) -> None:
        """2.3: DELETE returns 204; again changes nothing."""
        assert documents.send("DELETE").status_code == 204


class TestMerge:
    def test_posted_properties_take_the_place_of_the_old(self, documents: Documents) -> None:
        """2.2: only top-level properties are merged, each replaced as a whole."""
        documents.send("POST", body={"x": "foo", "y": {"a": 1, "b": 2}, "w": 0})
        assert documents.send("POST", body={"x": "bash", "y": {"c": 3}, "z": "faz"}).status_code == 204
        assert documents.send("GET").json() == {"x": "bash", "y": {"c": 3}, "w": 0, "z": "faz"}

    def test_numbers_keep_their_text(self, documents: Documents) -> None:
        """2.2: what the POST does not name stays as it was."""
        documents.keep(b'{"a": 1.0, "b": 12345678901234567890123}')
        documents.send("POST", body=b'{"c":2}')
        assert documents.content() == b'{"a":1.0,"b":12345678901234567890123,"c":2}'

    @pytest.mark.parametrize(
        ("held", "held_type", "sent", "sent_type"),
        [
            (b'{"x":1}', "application/json", b'{"y":1}', "not/json"),
            (b'{"x":1}', "application/octet-stream", b'{"y":1}', "application/json"),
            (b"[1]", "application/json", b'{"y":1}', "application/json"),
            (b'{"x"', "application/json", b'{"y":1}', "application/json"),
            (b'{"x":1}', "application/json", b"[1]", "application/json"),
            (b'{"x":1}', "application/json", b"{", "application/json"),
        ],
    )
    def test_what_cannot_be_merged_is_refused(
        self, documents: Documents, held: bytes, held_type: str, sent: bytes, sent_type: str
    ) -> None:
        """2.2: where either is not application/json or no JSON object: 400, and nothing is changed."""
        documents.keep(held, media_type=held_type)
        assert documents.send("POST", body=sent, headers={"Content-Type": sent_type}).status_code == 400
        assert documents.content() == held

    def test_invalid_json_is_refused_where_nothing_is_there_too(self, documents: Documents) -> None:
        """2.2: a posted document of type application/json that cannot be parsed as an object is a 400."""
        assert documents.send("POST", body=b'{"a":1,}').status_code == 400
        assert documents.send("GET").status_code == 404


class TestParameters:
    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "DELETE"])
    def test_each_of_the_context_is_required(self, documents: Documents, method: str) -> None:
        """2.3, 2.6, 2.7: activityId and agent are required; 400 without."""
        for parameter in documents.context:
            assert documents.send(method, body={}, headers=NEW, **{parameter: None}).status_code == 400

    @pytest.mark.parametrize("method", ["PUT", "POST"])
    def test_the_id_is_required_to_store(self, documents: Documents, method: str) -> None:
        """2.3, 2.6, 2.7: stateId and profileId are required to store a document."""
        assert refused(documents.send(method, None, {}, NEW), documents.id)

    @pytest.mark.parametrize("resource", RESOURCES[1:])
    def test_the_id_is_required_to_delete_a_profile(self, lrs: Lrs, resource: str) -> None:
        """2.6, 2.7: only state can be deleted many at once."""
        assert refused(Documents.new(lrs, resource).send("DELETE", None), "profileId")

    @pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
    def test_unknown_parameters_are_refused(self, documents: Documents, method: str) -> None:
        """3.2: parameters that the resource does not know, or in another case, are a 400."""
        for name in ("foo", documents.id.upper(), "StatementId"):
            assert refused(documents.send(method, body={}, headers=NEW, **{name: "a"}), name)

    @pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
    def test_an_activity_is_an_iri(self, lrs: Lrs, method: str) -> None:
        """2.3, 2.7: activityId is an IRI."""
        for resource in RESOURCES[:2]:
            for wrong in NOT_IRIS:
                answer = Documents.new(lrs, resource).send(method, body={}, headers=NEW, activityId=wrong)
                assert refused(answer, "activityId")

    @pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
    def test_an_agent_is_an_agent_as_json(self, lrs: Lrs, method: str) -> None:
        """2.3, 2.6: agent is an Agent object as JSON, with one identifier."""
        for resource in (RESOURCES[0], RESOURCES[2]):
            for wrong in NOT_AGENTS:
                answer = Documents.new(lrs, resource).send(method, body={}, headers=NEW, agent=wrong)
                assert refused(answer, "agent")

    @pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
    def test_a_registration_is_a_uuid(self, state: Documents, method: str) -> None:
        """2.3: registration is a UUID."""
        for wrong in NOT_UUIDS:
            assert refused(state.send(method, body={}, registration=wrong), "registration")

    def test_since_is_a_timestamp(self, documents: Documents) -> None:
        """2.3, 2.6, 2.7: since is a timestamp."""
        for wrong in NOT_TIMES:
            assert refused(documents.send("GET", None, since=wrong), "since")

    @pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
    def test_since_belongs_to_lists(self, documents: Documents, method: str) -> None:
        """2.3: DELETE knows no since, nor does what stores."""
        answer = documents.send(method, body={}, headers=NEW, since="2026-01-01T00:00:00Z")
        assert refused(answer, "since")

    def test_a_profile_has_no_registration(self, lrs: Lrs) -> None:
        """2.6, 2.7: registration is a parameter of state alone."""
        for resource in RESOURCES[1:]:
            assert refused(Documents.new(lrs, resource).send("GET", registration=str(uuid4())), "registration")

    def test_a_group_is_no_agent_in_1_0_3(self, lrs1: Lrs, lrs2: Lrs) -> None:
        """1.0.3 2.6: an Agent and not a Group; 2.0 4.1.6.5: an Agent or an identified Group."""
        group = {"objectType": "Group", "mbox": "mailto:team@example.org"}
        assert refused(Documents.new(lrs1, "agents/profile").send("GET", agent=group), "agent")
        assert Documents.new(lrs2, "agents/profile").send("GET", agent=group).status_code == 404


class TestContext:
    def test_each_context_has_documents_of_its_own(self, documents: Documents) -> None:
        """2.2: an id is unique within the scope of the agent or activity."""
        other = Documents.new(documents.lrs, documents.resource)
        documents.keep({"x": 1})
        for parameter, value in other.context.items():
            assert documents.send("GET", **{parameter: value}).status_code == 404

    def test_a_registration_is_part_of_the_context(self, state: Documents) -> None:
        """2.3: the document in the context of activity, agent and registration, if specified."""
        one, other = str(uuid4()), str(uuid4())
        state.keep(b"1", registration=one)
        state.keep(b"2", registration=other)
        state.keep(b"3")
        assert [state.content(registration=r) for r in (one, one.upper(), other, None)] == [b"1", b"1", b"2", b"3"]

    def test_the_same_agent_may_be_written_otherwise(self, lrs: Lrs) -> None:
        """Data 2.4.2: an agent is known by its identifier, not by its name or the order of its properties."""
        documents = Documents.new(lrs, "agents/profile")
        documents.keep({"x": 1})
        same = dict(reversed(documents.context["agent"].items())) | {"name": "Ada"}
        assert documents.send("GET", agent=same).status_code == 200


class TestLists:
    def test_ids_of_the_context(self, documents: Documents) -> None:
        """2.3, 2.6, 2.7: without an id GET returns an array of ids."""
        for name in ("b", "a/b", "a b+c&é", "/"):
            documents.keep({}, name)
            assert documents.content(name) == b"{}"
        assert documents.names() == sorted(["b", "a/b", "a b+c&é", "/"])

    def test_of_nothing_is_an_empty_array(self, documents: Documents) -> None:
        """2.3, 2.6, 2.7: 200 OK, array of ids."""
        assert documents.names() == []

    def test_since_is_exclusive_and_about_the_last_change(self, documents: Documents) -> None:
        """2.3, 2.6, 2.7: only ids stored or updated since the timestamp (exclusive)."""
        documents.keep({}, "old")
        documents.keep({}, "changed")
        time.sleep(0.01)
        between = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        time.sleep(0.01)
        documents.keep({}, "new")
        documents.send("POST", "changed", {"x": 1})
        assert documents.names(since=between) == ["changed", "new"]
        assert documents.names(since=(datetime.now(UTC) + timedelta(minutes=1)).isoformat()) == []

    def test_without_registration_all_state_of_agent_and_activity(self, state: Documents) -> None:
        """2.3: all state data for this context (activity and agent, and registration if specified)."""
        registration = str(uuid4())
        state.keep({}, "in", registration=registration)
        state.keep({}, "both", registration=registration)
        state.keep({}, "both")
        state.keep({}, "out")
        assert state.names() == ["both", "in", "out"]
        assert state.names(registration=registration) == ["both", "in"]

    def test_many_are_deleted_at_once(self, state: Documents) -> None:
        """2.3: without stateId DELETE deletes all state of the context, and nothing beside it."""
        registration, other = str(uuid4()), Documents.new(state.lrs, "activities/state")
        other.keep({})
        state.keep({}, "in", registration=registration)
        state.keep({}, "out")
        assert state.send("DELETE", None, registration=registration).status_code == 204
        assert state.names() == ["out"]
        state.keep({}, "in", registration=registration)
        assert state.send("DELETE", None).status_code == 204
        assert (state.names(), other.names()) == ([], ["a"])


class TestLastModified:
    def test_of_a_document_is_its_last_change(self, documents: Documents) -> None:
        """2.2: Last-Modified says when the document was last modified."""
        before = datetime.now(UTC).replace(microsecond=0)
        documents.keep({})
        assert before <= parsedate_to_datetime(documents.send("GET").headers["Last-Modified"]) <= datetime.now(UTC)

    def test_of_a_list_is_that_of_the_newest(self, documents: Documents) -> None:
        """2.2: of multiple documents, when the most recently modified was."""
        documents.keep({}, "a")
        documents.keep({}, "b")
        newest = documents.send("GET", "b").headers["Last-Modified"]
        assert documents.send("GET", None).headers["Last-Modified"] == newest
