"""Communication 1.5 (1.0.3), 4.1.3 (2.0): content types and multipart/mixed; Data 2.4.11, 4.2.2.6: attachments."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from tests.conformance.lrs_client import Lrs, statement
from tests.support.multipart_mixed import (
    BOUNDARY,
    CONTENT_TYPE,
    Part,
    attachment,
    body,
    multipart,
    part,
    sha2,
    statements_part,
    taken_apart,
)

DATA = b"here is a simple attachment"
OTHER = b"here is another"
LINKED = attachment(DATA, fileUrl="https://example.org/file.txt")

Json = dict[str, Any]


def send(lrs: Lrs, content: bytes, content_type: str = CONTENT_TYPE) -> httpx2.Response:
    return lrs.post(content, headers={"Content-Type": content_type})


def with_data(*data: bytes) -> Json:
    return statement(attachments=[attachment(one) for one in data])


def given(lrs: Lrs, **params: Any) -> list[Part]:
    answer = lrs.get(attachments="true", **params)
    assert answer.status_code == 200, answer.text
    return taken_apart(answer.headers["Content-Type"], answer.content)


class TestJson:
    def test_statements_without_attachments_are_accepted(self, lrs: Lrs) -> None:
        """1.0.3 Communication 1.5.1."""
        assert lrs.post([statement(), statement()]).status_code == 200

    def test_statements_whose_attachments_all_have_a_file_url_are_accepted(self, lrs: Lrs) -> None:
        """1.0.3 Communication 1.5.1."""
        assert lrs.post(statement(attachments=[LINKED])).status_code == 200

    def test_an_attachment_without_one_is_refused(self, lrs: Lrs) -> None:
        """1.0.3 Communication 1.5.2: application/json needs a fileUrl for every attachment."""
        assert lrs.post(statement(attachments=[LINKED, attachment(OTHER)])).status_code == 400

    @pytest.mark.parametrize("media_type", ["multipart/form-data", "text/plain", "application/xml"])
    def test_other_content_types_are_refused(self, lrs: Lrs, media_type: str) -> None:
        """1.0.3 Communication 1.5: statements come as application/json or multipart/mixed."""
        content_type = CONTENT_TYPE.replace("multipart/mixed", media_type)
        assert send(lrs, multipart(with_data(DATA), DATA), content_type).status_code == 400


class TestMultipart:
    def test_statements_with_their_data_are_accepted(self, lrs: Lrs) -> None:
        """1.0.3 Communication 1.5.2."""
        assert send(lrs, multipart([with_data(DATA, OTHER), with_data(DATA)], DATA, OTHER)).status_code == 200

    def test_without_attachments_it_is_accepted(self, lrs: Lrs) -> None:
        """1.0.3 Communication 1.5.2 (SHOULD), 2.0 4.1.3: so are statements that have none."""
        assert send(lrs, multipart(statement())).status_code == 200

    def test_with_file_urls_alone_it_is_accepted(self, lrs: Lrs) -> None:
        """1.0.3 Communication 1.5.2 (SHOULD), 2.0 4.1.3: so are attachments that all have a fileUrl."""
        assert send(lrs, multipart(statement(attachments=[LINKED]))).status_code == 200

    def test_an_attachment_with_neither_is_refused(self, lrs: Lrs) -> None:
        """1.0.3 Communication 1.5.2: neither a fileUrl nor a part with its hash."""
        assert send(lrs, multipart(with_data(DATA, OTHER), DATA)).status_code == 400

    def test_data_of_earlier_requests_does_not_count(self, lrs: Lrs) -> None:
        """1.0.3 Communication 1.5.2: the part is a received one."""
        sent = with_data(DATA)
        assert send(lrs, multipart(sent, DATA)).status_code == 200
        again = statement(actor=sent["actor"], attachments=sent["attachments"])
        assert send(lrs, multipart(again)).status_code == 400

    def test_a_part_that_is_no_attachments_is_refused(self, lrs: Lrs) -> None:
        """1.0.3 Communication 1.5.2: each additional part is an attachment's data."""
        assert send(lrs, multipart(with_data(DATA), DATA, OTHER)).status_code == 400

    def test_all_statements_are_in_the_first_part(self, lrs: Lrs) -> None:
        """1.0.3 Communication 1.5.2."""
        first = statements_part(with_data(DATA))
        assert send(lrs, body(first, first, part(DATA))).status_code == 400
        assert send(lrs, body(part(DATA), first)).status_code == 400

    def test_the_first_part_is_json(self, lrs: Lrs) -> None:
        """1.0.3 Communication 1.5.2: its Content-Type must be application/json."""
        content = body(({"Content-Type": "text/plain"}, statements_part(with_data(DATA))[1]), part(DATA))
        assert send(lrs, content).status_code == 400

    @pytest.mark.parametrize("declared", [None, sha2(OTHER), "abc"])
    def test_each_further_part_has_the_hash_of_its_attachment(self, lrs: Lrs, declared: str | None) -> None:
        """1.0.3 Communication 1.5.2: X-Experience-API-Hash."""
        content = body(statements_part(with_data(DATA)), part(DATA, {"X-Experience-API-Hash": declared}))
        assert send(lrs, content).status_code == 400

    def test_the_data_has_the_hash_that_is_declared(self, lrs: Lrs) -> None:
        """1.0.3 Communication 1.5.2: data and attachment are matched by their SHA-2 and in no other way."""
        content = body(statements_part(with_data(DATA)), part(OTHER, {"X-Experience-API-Hash": sha2(DATA)}))
        assert send(lrs, content).status_code == 400

    def test_each_further_part_is_binary(self, lrs: Lrs) -> None:
        """1.0.3 Communication 1.5.2: Content-Transfer-Encoding; where there is none binary is assumed."""
        first = statements_part(with_data(DATA))
        assert send(lrs, body(first, part(DATA, {"Content-Transfer-Encoding": "base64"}))).status_code == 400
        assert send(lrs, body(first, part(DATA, {"Content-Transfer-Encoding": None}))).status_code == 200

    def test_what_part_and_attachment_both_say_is_the_same(self, lrs: Lrs) -> None:
        """1.0.3 Communication 1.5.2: Content-Type with contentType, Content-Length with length."""
        first = statements_part(with_data(DATA))
        assert send(lrs, body(first, part(DATA, {"Content-Type": "image/png"}))).status_code == 400
        assert send(lrs, body(first, part(DATA, {"Content-Length": "1"}))).status_code == 400
        assert send(lrs, body(first, part(DATA, {"Content-Length": str(len(DATA))}))).status_code == 200

    @pytest.mark.parametrize("family", ["sha224", "sha256", "sha384", "sha512"])
    def test_each_sha2_is_known(self, lrs: Lrs, family: str) -> None:
        """1.0.3 Data 2.4.11: sha2; Communication 1.5.2 names SHA-256, SHA-384 and SHA-512 as those to prefer."""
        sent = statement(attachments=[attachment(DATA, algorithm=family)])
        content = body(statements_part(sent), part(DATA, {"X-Experience-API-Hash": sha2(DATA, family)}))
        assert send(lrs, content).status_code == 200

    def test_a_boundary_is_named(self, lrs: Lrs) -> None:
        """RFC 2046 5.1.1: the Content-Type has the parameter boundary."""
        assert send(lrs, multipart(with_data(DATA), DATA), "multipart/mixed").status_code == 400

    def test_a_boundary_is_before_each_part(self, lrs: Lrs) -> None:
        """RFC 2046 5.1.1: the first part too."""
        content, delimiter = multipart(with_data(DATA), DATA), f"--{BOUNDARY}\r\n".encode()
        assert send(lrs, content.removeprefix(delimiter)).status_code == 400
        first, rest = content.removeprefix(delimiter).split(delimiter)
        assert send(lrs, delimiter + first + rest).status_code == 400

    def test_a_boundary_ends_the_last_part(self, lrs: Lrs) -> None:
        """RFC 2046 5.1.1: with two hyphens behind it, or what came is not whole."""
        content = multipart(with_data(DATA), DATA)
        assert send(lrs, content.removesuffix(f"\r\n--{BOUNDARY}--\r\n".encode())).status_code == 400

    def test_what_surrounds_the_parts_is_ignored(self, lrs: Lrs) -> None:
        """RFC 2046 5.1.1: preamble and epilogue."""
        assert send(lrs, b"preamble\r\n" + multipart(with_data(DATA), DATA) + b"epilogue").status_code == 200

    def test_nothing_is_kept_of_what_is_refused(self, lrs: Lrs) -> None:
        """1.0.3 Communication 2.1.2: a batch is stored wholly or not at all."""
        good, bad = with_data(DATA), with_data(OTHER)
        assert send(lrs, multipart([good, bad], DATA)).status_code == 400
        assert lrs.get(statementId=good["id"]).status_code == 404

    def test_put_takes_it_too(self, lrs: Lrs) -> None:
        """1.0.3 Communication 1.5.2: for PUT as for POST."""
        sent = with_data(DATA)
        answer = lrs.put(multipart(sent, DATA), sent["id"], headers={"Content-Type": CONTENT_TYPE})
        assert answer.status_code == 204


class TestGet:
    def test_attachments_true_gives_them(self, lrs: Lrs) -> None:
        """1.0.3 Communication 2.1.3: in the multipart response format, statements first, as they were received."""
        sent = with_data(DATA, OTHER)
        send(lrs, multipart(sent, DATA, OTHER))
        first, *data = given(lrs, statementId=sent["id"])
        assert first.headers["Content-Type"] == "application/json"
        assert json.loads(first.data)["id"] == sent["id"]
        assert [one.data for one in data] == [DATA, OTHER]
        for one in data:
            assert one.headers["Content-Transfer-Encoding"] == "binary"
            assert one.headers["X-Experience-API-Hash"] == sha2(one.data)
            assert one.headers["Content-Type"] == "text/plain"

    def test_a_list_gives_a_result_first(self, lrs: Lrs) -> None:
        """1.0.3 Communication 2.1.3."""
        sent = with_data(DATA)
        send(lrs, multipart(sent, DATA))
        first, *data = given(lrs, agent=sent["actor"])
        assert [one["id"] for one in json.loads(first.data)["statements"]] == [sent["id"]]
        assert [one.data for one in data] == [DATA]

    def test_without_any_it_is_multipart_too(self, lrs: Lrs) -> None:
        """1.0.3 Communication 2.1.3: the parameter asks for the format."""
        sent = statement()
        lrs.keep(sent)
        assert len(given(lrs, statementId=sent["id"])) == 1

    @pytest.mark.parametrize("params", [{}, {"attachments": "false"}])
    def test_else_it_is_json(self, lrs: Lrs, params: dict[str, str]) -> None:
        """1.0.3 Communication 2.1.3: attachments is false by default, and then data is not sent."""
        sent = with_data(DATA)
        send(lrs, multipart(sent, DATA))
        answer = lrs.send("GET", "statements", {"statementId": sent["id"], **params})
        assert answer.headers["Content-Type"] == "application/json"
        assert DATA not in answer.content

    def test_one_copy_of_what_several_share(self, lrs: Lrs) -> None:
        """1.0.3 Communication 1.5.2 (SHOULD): the same data once, whoever's it is."""
        verb = {"id": f"https://example.org/verbs/{statement()['id']}"}
        sent = [with_data(DATA, OTHER) | {"verb": verb} for _ in range(2)]
        send(lrs, multipart(sent, DATA, OTHER))
        assert sorted(one.data for one in given(lrs, verb=verb["id"])[1:]) == sorted([DATA, OTHER])

    def test_more_keeps_the_format(self, lrs: Lrs) -> None:
        """1.0.3 Data 2.5: `more` continues the query."""
        verb = {"id": f"https://example.org/verbs/{statement()['id']}"}
        for data in (DATA, OTHER):
            send(lrs, multipart(with_data(data) | {"verb": verb}, data))
        first, _ = given(lrs, verb=verb["id"], limit=1)
        more = json.loads(first.data)["more"]
        answer = lrs.http.get(more, auth=lrs.auth, headers={"X-Experience-API-Version": lrs.version})
        assert taken_apart(answer.headers["Content-Type"], answer.content)[1].data == DATA

    def test_head_tells_the_same_without_the_body(self, lrs: Lrs) -> None:
        """1.0.3 Communication 1.1."""
        sent = with_data(DATA)
        send(lrs, multipart(sent, DATA))
        params = {"statementId": sent["id"], "attachments": "true"}
        head, whole = lrs.send("HEAD", "statements", params), lrs.send("GET", "statements", params)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Length"] == whole.headers["Content-Length"] == str(len(whole.content))
