"""Communication 1.3 (1.0.3): the alternate request syntax, which 2.0 has dropped."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from tests.conformance.lrs_client import FORM, VERSION, Lrs, activity, agent, statement


class TestIntendedMethod:
    def test_put(self, lrs1: Lrs) -> None:
        """The intended method is the value of `method`; the query parameters and the content are in the form."""
        sent = statement()
        answer = lrs1.alternate("PUT", form={"statementId": sent["id"], "content": sent})
        assert (answer.status_code, answer.headers[VERSION]) == (204, "1.0.3")
        assert lrs1.stored(sent)["actor"] == sent["actor"]

    def test_post(self, lrs1: Lrs) -> None:
        sent = statement()
        answer = lrs1.alternate("POST", form={"content": [sent], "Content-Type": "application/json"})
        assert (answer.status_code, answer.json()) == (200, [sent["id"]])

    def test_get(self, lrs1: Lrs) -> None:
        """It serves to get statements too, where the query string would be too long (Communication 2.1.2)."""
        sent = statement()
        lrs1.keep(sent)
        answer = lrs1.alternate("GET", form={"agent": sent["actor"], "limit": "1"})
        assert [one["id"] for one in answer.json()["statements"]] == [sent["id"]]

    def test_head(self, lrs1: Lrs) -> None:
        sent = statement()
        lrs1.keep(sent)
        answer = lrs1.alternate("HEAD", form={"statementId": sent["id"]})
        assert (answer.status_code, answer.content) == (200, b"")
        assert "Last-Modified" in answer.headers
        assert lrs1.alternate("HEAD", form={"statementId": str(uuid4())}).status_code == 404

    def test_documents_from_put_to_delete(self, lrs1: Lrs) -> None:
        """Every resource has it."""
        form = {"activityId": activity()["id"], "agent": agent(), "stateId": "é & +%"}
        content = {"content": "tëxt", "Content-Type": "text/plain;charset=utf-8"}
        assert lrs1.alternate("PUT", "activities/state", form | content).status_code == 204
        answer = lrs1.alternate("GET", "activities/state", form)
        assert (answer.status_code, answer.content) == (200, "tëxt".encode())
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert lrs1.alternate("DELETE", "activities/state", form).status_code == 204
        assert lrs1.alternate("GET", "activities/state", form).status_code == 404

    @pytest.mark.parametrize("method", ["PATCH", "OPTIONS", "get", ""])
    def test_any_other_is_refused(self, lrs1: Lrs, method: str) -> None:
        assert lrs1.alternate(method).status_code == 400

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_it_is_issued_as_a_post(self, lrs1: Lrs, method: str) -> None:
        """All requests of this syntax are POST."""
        assert lrs1.send(method, "statements", {"method": "GET"}).status_code == 400


class TestForm:
    def test_listed_parameters_are_headers(self, lrs1: Lrs) -> None:
        """Authorization, version, Content-Type, Content-Length, If-Match, If-None-Match are treated as headers."""
        sent = statement()
        form = {"statementId": sent["id"], "content": sent}
        wrong = {"Authorization": "Basic bm86bm8="}
        assert lrs1.alternate("PUT", form=form | wrong).status_code == 401
        assert lrs1.alternate("PUT", form=form | {VERSION: "0.8"}).status_code == 400
        assert lrs1.alternate("PUT", form=form | {"Content-Type": "text/plain"}).status_code == 400
        profile = {"activityId": activity()["id"], "profileId": "p", "content": "{}", "Content-Length": "2"}
        assert lrs1.alternate("PUT", "activities/profile", profile | {"If-None-Match": "*"}).status_code == 204
        assert lrs1.alternate("PUT", "activities/profile", profile | {"If-None-Match": "*"}).status_code == 412
        assert lrs1.alternate("PUT", "activities/profile", profile | {"If-Match": '"other"'}).status_code == 412

    def test_credentials_in_the_form(self, lrs1: Lrs) -> None:
        basic = base64.b64encode(":".join(lrs1.auth).encode()).decode()
        form = {"Authorization": f"Basic {basic}", VERSION: "1.0.3", "limit": "1"}
        body = urlencode(form).encode()
        answer = lrs1.http.post("/xapi/statements?method=GET", content=body, headers={"Content-Type": FORM})
        assert answer.status_code == 200

    def test_all_others_are_query_parameters(self, lrs1: Lrs) -> None:
        assert lrs1.alternate("GET", form={"limit": "x"}).status_code == 400
        assert lrs1.alternate("GET", form={"colour": "red"}).status_code == 400

    def test_no_query_parameter_beside_method(self, lrs1: Lrs) -> None:
        """The query string holds `method` and nothing else."""
        sent = statement()
        form = {"statementId": sent["id"], "content": sent}
        assert lrs1.alternate("PUT", form=form, params={"statementId": sent["id"]}).status_code == 400

    def test_content_is_utf8(self, lrs1: Lrs) -> None:
        sent = statement(result={"response": "déjà vu 🙂 \u2028 100% & more + more"})
        assert lrs1.alternate("PUT", form={"statementId": sent["id"], "content": sent}).status_code == 204
        assert lrs1.stored(sent)["result"] == sent["result"]

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"statementId=x",
            b"content=%ff%fe",
            b"content=%7B%7D&content=%7B%7D",
            b"\xff",
            b"a=1&" * 200,
            json.dumps({"content": statement()}).encode(),
        ],
    )
    def test_what_is_no_form_with_content_is_refused(self, lrs1: Lrs, body: bytes) -> None:
        """Content that is sent is URL encoded, in the form parameter `content`."""
        answer = lrs1.send("POST", "statements", {"method": "PUT"}, body, {"Content-Type": FORM})
        assert answer.status_code == 400

    def test_content_where_none_belongs_is_refused(self, lrs1: Lrs) -> None:
        assert lrs1.alternate("GET", form={"content": "{}"}).status_code == 400

    @pytest.mark.parametrize("media_type", [FORM, f"{FORM}; charset=UTF-8", "text/plain", None])
    def test_the_outer_content_type_may_be_missing(self, lrs1: Lrs, media_type: str | None) -> None:
        """The outer Content-Type is a SHOULD*: the browsers that this is for could not set it."""
        assert lrs1.alternate("GET", form={"limit": "1"}, headers={"Content-Type": media_type}).status_code == 200

    def test_any_other_outer_content_type_is_refused(self, lrs1: Lrs) -> None:
        answer = lrs1.alternate("GET", form={"limit": "1"}, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400


class TestDroppedBy2:
    @pytest.mark.parametrize("headers", [{VERSION: "2.0.0"}, {VERSION: None}])
    @pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
    def test_it_is_refused(self, lrs2: Lrs, method: str, headers: dict[str, Any]) -> None:
        """IEEE 9274.1.1 knows no alternate request syntax, so `method` is an unknown parameter."""
        sent = statement()
        answer = lrs2.alternate(method, form={"statementId": sent["id"], "content": sent}, headers=headers)
        assert answer.status_code == 400
