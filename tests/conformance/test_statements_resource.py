"""Communication 2.1 (1.0.3), 4.1.6.1 (2.0): PUT, POST and GET of statements, the headers and the error codes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import uuid4

import pytest

from tests.conformance.lrs_client import THROUGH, VERSION, Json, Lrs, activity, agent, statement, voiding


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


class TestPut:
    def test_204_and_stored_under_the_parameter(self, lrs: Lrs) -> None:
        """2.1.1: stores a single statement with the given id; returns 204 No Content."""
        sent = statement()
        wanted = sent.pop("id")
        answer = lrs.put(sent, wanted)
        assert (answer.status_code, answer.content) == (204, b"")
        assert lrs.get(statementId=wanted).json()["id"] == wanted

    def test_the_parameter_is_required(self, lrs: Lrs) -> None:
        assert lrs.send("PUT", "statements", {}, statement()).status_code == 400

    @pytest.mark.parametrize("wrong", ["0", "x", "12345678-1234-1234-1234-12345678901", "{12345678-1234}"])
    def test_the_parameter_is_a_uuid(self, lrs: Lrs, wrong: str) -> None:
        sent = statement()
        del sent["id"]
        assert lrs.put(sent, wrong).status_code == 400

    def test_the_body_may_not_name_another_id(self, lrs: Lrs) -> None:
        sent = statement()
        assert lrs.put(sent, str(uuid4())).status_code == 400

    def test_one_statement_no_list(self, lrs: Lrs) -> None:
        sent = statement()
        assert lrs.send("PUT", "statements", {"statementId": sent["id"]}, [sent]).status_code == 400

    def test_409_for_another_statement_with_the_id(self, lrs: Lrs) -> None:
        """2.1.1: it must not be modified; 409 where it does not match, 204 where it does."""
        sent = statement()
        assert lrs.put(sent).status_code == 204
        kept = lrs.stored(sent)
        assert lrs.put(sent).status_code == 204
        assert lrs.put({**sent, "verb": {"id": "https://example.org/other"}}).status_code == 409
        assert lrs.stored(sent) == kept


class TestPost:
    def test_one(self, lrs: Lrs) -> None:
        """2.1.2: 200 OK and an array of the ids."""
        sent = statement()
        answer = lrs.post(sent)
        assert (answer.status_code, answer.json()) == (200, [sent["id"]])
        assert answer.headers["Content-Type"] == "application/json"

    def test_the_ids_come_in_order(self, lrs: Lrs) -> None:
        sent = [statement() for _ in range(5)]
        del sent[2]["id"]
        ids = lrs.post(sent).json()
        assert len(set(ids)) == 5
        assert [ids[i] for i in (0, 1, 3, 4)] == [sent[i]["id"] for i in (0, 1, 3, 4)]
        assert lrs.get(statementId=ids[2]).json()["actor"] == sent[2]["actor"]

    def test_a_batch_is_taken_wholly_or_not_at_all(self, lrs: Lrs) -> None:
        """3.2: a batch is rejected if any statement in it is."""
        good, bad = statement(), statement(verb={"id": "no IRI"})
        answer = lrs.post([good, bad])
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["pointer"] == "/1/verb/id"
        assert lrs.get(statementId=good["id"]).status_code == 404

    def test_a_conflict_rejects_the_batch(self, lrs: Lrs) -> None:
        known, fresh = statement(), statement()
        lrs.keep(known)
        answer = lrs.post([fresh, {**known, "actor": agent()}])
        assert (answer.status_code, answer.json()["errors"][0]["index"]) == (409, 1)
        assert lrs.get(statementId=fresh["id"]).status_code == 404

    def test_a_repeated_statement_is_stored_once(self, lrs: Lrs) -> None:
        sent = statement()
        lrs.keep(sent, sent)
        assert lrs.ids(agent=sent["actor"]) == [sent["id"]]

    def test_one_id_twice_in_a_batch_is_refused(self, lrs: Lrs) -> None:
        """2.1.2: SHOULD* be 400."""
        sent = statement()
        assert lrs.post([sent, sent]).status_code == 400

    @pytest.mark.parametrize("params", [{"statementId": str(uuid4())}, {"colour": "red"}, {"limit": "1"}])
    def test_it_has_no_parameters(self, lrs: Lrs, params: Json) -> None:
        """3.2: parameters that are not recognised are refused."""
        assert lrs.send("POST", "statements", params, statement()).status_code == 400

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"1", b"\xff\xfe{}", b'{"a":1,"a":2}'])
    def test_malformed_bodies_are_400(self, lrs: Lrs, body: bytes) -> None:
        assert lrs.post(body).status_code == 400

    @pytest.mark.parametrize(
        "media_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "multipart/form-data"]
    )
    def test_the_content_type_must_fit(self, lrs: Lrs, media_type: str) -> None:
        """3.2: SHOULD* be 400 where the content type does not match the content."""
        assert lrs.post(statement(), headers={"Content-Type": media_type}).status_code == 400

    def test_a_charset_may_be_named(self, lrs: Lrs) -> None:
        assert lrs.post(statement(), headers={"Content-Type": "application/json; charset=UTF-8"}).status_code == 200


class TestWhatTheLrsSets:
    """Data 2.4: id, stored, timestamp, authority, version."""

    def test_id(self, lrs: Lrs) -> None:
        sent = statement()
        del sent["id"]
        (made,) = lrs.post(sent).json()
        assert lrs.get(statementId=made).json()["id"] == made

    def test_stored_is_the_lrs_own_in_utc(self, lrs: Lrs) -> None:
        """Data 2.4.8: what was sent is overwritten; 4.5: in UTC with at least milliseconds."""
        sent = statement(stored="2001-01-01T00:00:00Z")
        before = datetime.now(UTC) - timedelta(seconds=2)
        lrs.keep(sent)
        stored = lrs.stored(sent)["stored"]
        assert stored.endswith("Z")
        assert "." in stored
        assert before < moment(stored) < datetime.now(UTC) + timedelta(seconds=2)

    def test_timestamp_is_stored_where_none_is_given(self, lrs: Lrs) -> None:
        sent = statement()
        lrs.keep(sent)
        kept = lrs.stored(sent)
        assert kept["timestamp"] == kept["stored"]

    def test_timestamp_is_kept(self, lrs: Lrs) -> None:
        sent = statement(timestamp="2019-03-04T05:06:07.123Z")
        lrs.keep(sent)
        assert moment(lrs.stored(sent)["timestamp"]) == moment(sent["timestamp"])

    def test_2_converts_timestamps_to_utc(self, lrs2: Lrs) -> None:
        """2.0 4.2.4.2: a timestamp in another zone is converted to UTC."""
        sent = statement(timestamp="2019-03-04T05:06:07.123+02:00")
        lrs2.keep(sent)
        kept = lrs2.stored(sent)["timestamp"]
        assert kept.endswith("Z")
        assert moment(kept) == moment(sent["timestamp"])

    def test_authority_is_the_credential(self, lrs: Lrs) -> None:
        """Data 2.4.9: an Agent (or a Group of two), put there by the LRS for the credential."""
        sent = [statement(), statement(authority=agent())]
        lrs.keep(*sent)
        first, second = (lrs.stored(one)["authority"] for one in sent)
        assert first == second
        assert first["objectType"] == "Agent"

    @pytest.mark.parametrize(("of", "version"), [("1.0.3", "1.0.0"), ("2.0.0", "2.0.0")])
    def test_version(self, lrs1: Lrs, of: str, version: str) -> None:
        """Data 2.4.10: 1.0.0 where none is given, by a 1.0.x request."""
        sent = statement()
        lrs1.post(sent, headers={VERSION: of})
        assert lrs1.stored(sent)["version"] == version


class TestGetOne:
    def test_it_comes_back_as_it_was_sent(self, lrs: Lrs) -> None:
        sent = statement(
            result={"score": {"scaled": 1.0, "raw": 12345678901234567890, "min": 1e-7}, "response": "é\u2028"}
        )
        body = json.dumps(sent).encode()
        assert lrs.post(body).status_code == 200
        answer = lrs.get(statementId=sent["id"])
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
        assert {name: answer.json()[name] for name in sent} == sent
        assert b"12345678901234567890" in answer.content
        assert b'"scaled":1.0' in answer.content.replace(b" ", b"")

    def test_unknown_is_404(self, lrs: Lrs) -> None:
        assert lrs.get(statementId=str(uuid4())).status_code == 404
        assert lrs.get(voidedStatementId=str(uuid4())).status_code == 404

    def test_ids_are_compared_without_case(self, lrs: Lrs) -> None:
        sent = statement()
        lrs.keep(sent)
        assert lrs.get(statementId=sent["id"].upper()).status_code == 200

    def test_last_modified_is_stored(self, lrs: Lrs) -> None:
        """2.1.3 SHOULD*, 2.0 4.1.6.1 shall: a Last-Modified header that matches `stored`."""
        sent = statement()
        lrs.keep(sent)
        answer = lrs.get(statementId=sent["id"])
        modified = parsedate_to_datetime(answer.headers["Last-Modified"])
        assert modified == moment(answer.json()["stored"]).replace(microsecond=0)

    def test_etag_tells_whether_it_is_the_same(self, lrs: Lrs) -> None:
        """3.1: an ETag in quotes."""
        sent = statement()
        lrs.keep(sent)
        etag = lrs.get(statementId=sent["id"]).headers["ETag"]
        assert etag.startswith('"')
        for known, status in ((etag, 304), (f'"x", W/{etag}', 304), ("*", 304), ('"x"', 200)):
            assert lrs.get({"If-None-Match": known}, statementId=sent["id"]).status_code == status
        assert lrs.get({"If-None-Match": etag}, statementId=sent["id"], format="ids").status_code == 200

    def test_both_ids_are_400(self, lrs: Lrs) -> None:
        assert lrs.get(statementId=str(uuid4()), voidedStatementId=str(uuid4())).status_code == 400

    @pytest.mark.parametrize("name", ["statementId", "voidedStatementId"])
    @pytest.mark.parametrize(
        "other",
        [
            {"agent": agent()},
            {"verb": "https://example.org/v"},
            {"activity": "https://example.org/a"},
            {"registration": str(uuid4())},
            {"related_activities": True},
            {"related_agents": False},
            {"since": "2020-01-01T00:00:00Z"},
            {"until": "2020-01-01T00:00:00Z"},
            {"limit": 1},
            {"ascending": True},
        ],
        ids=lambda other: next(iter(other)),
    )
    def test_an_id_goes_with_format_and_attachments_alone(self, lrs: Lrs, name: str, other: Json) -> None:
        """2.1.3: MUST be 400 with any parameter besides `attachments` and `format`."""
        sent = statement()
        lrs.keep(sent)
        assert lrs.get(None, **{name: sent["id"]}, **other).status_code == 400

    @pytest.mark.parametrize("form", ["ids", "exact", "canonical"])
    def test_it_goes_with_format_and_attachments(self, lrs: Lrs, form: str) -> None:
        sent = statement()
        lrs.keep(sent)
        answer = lrs.get(statementId=sent["id"], format=form, attachments=False)
        assert (answer.status_code, answer.json()["id"]) == (200, sent["id"])


class TestParameters:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("statementId", "x"),
            ("voidedStatementId", "x"),
            ("agent", "x"),
            ("agent", "{}"),
            ("agent", '{"mbox":"x"}'),
            ("agent", '{"mbox":"mailto:a@b.c","openid":"https://a.example"}'),
            ("agent", '{"objectType":"Group","member":[{"mbox":"mailto:a@b.c"}]}'),
            ("verb", "x"),
            ("activity", "x"),
            ("registration", "x"),
            ("related_activities", "1"),
            ("related_agents", "True"),
            ("since", "yesterday"),
            ("until", "2020-13-01T00:00:00Z"),
            ("limit", "-1"),
            ("limit", "1.5"),
            ("limit", "x"),
            ("format", "xml"),
            ("attachments", "yes"),
            ("ascending", ""),
            ("more", "x"),
        ],
    )
    def test_wrong_values_are_400_and_named(self, lrs: Lrs, name: str, value: str) -> None:
        answer = lrs.get(None, **{name: value})
        assert answer.status_code == 400
        assert {error["parameter"] for error in answer.json()["errors"]} == {name}

    @pytest.mark.parametrize("name", ["colour", "StatementId", "Limit", "relatedAgents", "STATEMENTID", "method", ""])
    def test_unknown_ones_are_400(self, lrs: Lrs, name: str) -> None:
        """3.2: MUST reject parameters that are not recognised, and those that differ in case alone."""
        assert lrs.get(None, **{name: "1"}).status_code == 400

    def test_each_at_most_once(self, lrs: Lrs) -> None:
        headers, url = {VERSION: lrs.version}, "/xapi/statements?limit=1&limit=2"
        assert lrs.http.get(url, headers=headers, auth=lrs.auth).status_code == 400


class TestHeaders:
    def answers(self, lrs: Lrs) -> Iterable[Any]:
        sent = statement()
        yield lrs.post(sent)
        yield lrs.put(statement())
        yield lrs.post({**sent, "actor": agent()})
        yield lrs.post(b"{")
        yield lrs.get(statementId=sent["id"])
        yield lrs.send("HEAD", "statements", {"statementId": sent["id"]})
        yield lrs.get()
        yield lrs.get(colour="red")
        yield lrs.get(statementId=str(uuid4()))
        yield lrs.get({"Authorization": "Basic bm86bm8="})
        yield lrs.get({VERSION: None})
        yield lrs.send("DELETE", "statements")

    def test_consistent_through_on_every_answer(self, lrs: Lrs) -> None:
        """2.1.3: MUST be on all responses to statements requests, as an ISO 8601 timestamp, recent."""
        for answer in self.answers(lrs):
            through = moment(answer.headers[THROUGH])
            assert timedelta(seconds=-1) < datetime.now(UTC) - through < timedelta(seconds=10)

    def test_what_is_consistent_can_be_read(self, lrs: Lrs) -> None:
        sent = statement()
        lrs.keep(sent)
        stored = moment(lrs.stored(sent)["stored"])
        deadline = datetime.now(UTC) + timedelta(seconds=5)
        while moment(lrs.get(limit=1).headers[THROUGH]) < stored:
            assert datetime.now(UTC) < deadline
        assert lrs.ids(agent=sent["actor"]) == [sent["id"]]

    def test_head_is_get_without_the_body(self, lrs: Lrs) -> None:
        """1.1: HEAD answers as GET does, but for the body."""
        sent = statement()
        lrs.keep(sent)
        changing = {"date", THROUGH.lower(), "content-length"}
        for params in (
            {"statementId": sent["id"]},
            {"agent": sent["actor"]},
            {"limit": "x"},
            {"statementId": str(uuid4())},
        ):
            got, head = (lrs.send(method, "statements", params) for method in ("GET", "HEAD"))
            assert (head.status_code, head.content) == (got.status_code, b"")
            assert {k: v for k, v in head.headers.items() if k not in changing} == {
                k: v for k, v in got.headers.items() if k not in changing
            }

    @pytest.mark.parametrize("method", ["DELETE", "PATCH", "OPTIONS"])
    def test_other_methods_are_405_and_the_allowed_ones_are_named(self, lrs: Lrs, method: str) -> None:
        """RFC 9110 15.5.6."""
        answer = lrs.send(method, "statements")
        assert answer.status_code == 405
        assert {one.strip() for one in answer.headers["Allow"].split(",")} == {"GET", "HEAD", "POST", "PUT"}

    def test_errors_explain_themselves(self, lrs: Lrs) -> None:
        """3.2: SHOULD return a message that explains the cause."""
        for answer in (
            lrs.get(limit="x"),
            lrs.post(b"{"),
            lrs.get(statementId=str(uuid4())),
            lrs.send("DELETE", "statements"),
        ):
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json()["status"] == answer.status_code
            assert answer.json()["detail"]


class TestAuthentication:
    @pytest.mark.parametrize("header", [None, "Basic", "Basic x", "Basic bm86bm8=", "Digest x", "Bearer x"])
    @pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
    def test_without_good_credentials_it_is_401(self, lrs: Lrs, method: str, header: str | None) -> None:
        """3.2, 4.0: 401 where credentials are missing or refused; RFC 9110 11.6.1: with a challenge."""
        answer = lrs.http.request(
            method,
            "/xapi/statements",
            content=b"{}",
            headers={VERSION: lrs.version, **({"Authorization": header} if header else {})},
        )
        assert answer.status_code == 401
        assert "Basic" in answer.headers["WWW-Authenticate"]


class TestVoiding:
    """Data 2.3.2, Communication 2.1.4."""

    def test_a_voided_statement_is_given_as_such_alone(self, lrs: Lrs) -> None:
        sent = statement()
        void = voiding(sent)
        lrs.keep(sent, void)
        assert lrs.get(statementId=sent["id"]).status_code == 404
        assert lrs.get(voidedStatementId=sent["id"]).json()["id"] == sent["id"]
        assert lrs.ids(activity=sent["object"]["id"]) == [void["id"]]

    def test_the_voiding_statement_stays(self, lrs: Lrs) -> None:
        sent = statement()
        void = voiding(sent)
        lrs.keep(sent, void)
        assert lrs.get(statementId=void["id"]).status_code == 200
        assert lrs.get(voidedStatementId=void["id"]).status_code == 404

    def test_a_voiding_statement_cannot_be_voided(self, lrs: Lrs) -> None:
        sent = statement()
        void = voiding(sent)
        again = voiding(void)
        lrs.keep(sent, void)
        assert lrs.post(again).status_code in (200, 400)
        assert lrs.get(statementId=void["id"]).status_code == 200
        assert lrs.get(statementId=sent["id"]).status_code == 404

    def test_it_may_come_before_its_target(self, lrs: Lrs) -> None:
        sent = statement()
        lrs.keep(voiding(sent), sent)
        assert lrs.get(statementId=sent["id"]).status_code == 404
        assert lrs.get(voidedStatementId=sent["id"]).status_code == 200

    def test_its_object_is_a_statement_reference(self, lrs: Lrs) -> None:
        verb = {"id": "http://adlnet.gov/expapi/verbs/voided"}
        for wrong in (activity(), agent()):
            assert lrs.post(statement(verb=verb, object=wrong)).status_code == 400

    def test_a_statement_that_is_not_voided_is_no_voided_one(self, lrs: Lrs) -> None:
        sent = statement()
        lrs.keep(sent)
        assert lrs.get(voidedStatementId=sent["id"]).status_code == 404
