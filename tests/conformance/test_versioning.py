"""Communication 3.3 (1.0.3), 4.1.5.4 (2.0): the version header; Communication 2.8, 4.1.6.7: about."""

from __future__ import annotations

import pytest

from tests.conformance.lrs_client import VERSION, Lrs, agent, statement

RESOURCES = ("statements", "activities/state", "activities/profile", "activities", "agents/profile", "agents")


class TestVersionHeader:
    def test_every_answer_carries_the_latest_patch(self, lrs: Lrs) -> None:
        """1.0.3 Communication 3.3: in every response, set to the latest patch version."""
        for answer in (
            lrs.get(),
            lrs.get(limit=-1),
            lrs.post({}),
            lrs.send("GET", "about"),
            lrs.send("GET", "nothing"),
        ):
            assert answer.headers[VERSION] == lrs.version

    @pytest.mark.parametrize(
        ("sent", "answered"),
        [
            *(("1.0", "1.0.3"), ("1.0.0", "1.0.3"), ("1.0.1", "1.0.3"), ("1.0.2", "1.0.3"), ("1.0.9", "1.0.3")),
            *(("2.0", "2.0.0"), ("2.0.0", "2.0.0"), ("2.0.7", "2.0.0")),
        ],
    )
    def test_each_patch_is_accepted(self, lrs1: Lrs, sent: str, answered: str) -> None:
        """1.0.3 Communication 3.3: a header that starts with `1.0.` is accepted, and `1.0` as `1.0.0`."""
        answer = lrs1.get(headers={VERSION: sent}, limit=1)
        assert (answer.status_code, answer.headers[VERSION]) == (200, answered)

    @pytest.mark.parametrize("sent", ["", "0.8", "0.9", "0.95", "1", "1.1", "1.1.0", "1.0.x", "2.1.0", "3.0.0", "10.0"])
    def test_any_other_is_refused_with_400(self, lrs1: Lrs, sent: str) -> None:
        """1.0.3 Communication 3.3: before 1.0.0 and from 1.1.0 on it is a 400 with a short description."""
        answer = lrs1.get(headers={VERSION: sent}, limit=1)
        assert answer.status_code == 400
        assert VERSION in answer.json()["detail"]

    @pytest.mark.parametrize("resource", RESOURCES)
    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "DELETE"])
    def test_a_request_without_it_is_refused_with_400(self, lrs1: Lrs, method: str, resource: str) -> None:
        """1.0.3 Communication 3.3: requests without the header are refused, on every resource but about."""
        answer = lrs1.send(method, resource, headers={VERSION: None})
        assert answer.status_code == 400
        assert answer.headers[VERSION] == "0.9"

    def test_statements_are_not_converted_to_an_older_version(self, lrs1: Lrs, lrs2: Lrs) -> None:
        """1.0.3 Communication 3.3: a statement of a newer version stays one when it is asked for in an older one."""
        sent = statement(context={"contextAgents": [{"objectType": "contextAgent", "agent": agent()}]})
        lrs2.keep(sent)
        assert lrs1.stored(sent)["context"] == sent["context"]
        assert lrs1.stored(sent)["version"] == "2.0.0"


class TestAbout:
    @pytest.mark.parametrize("headers", [{VERSION: None}, {VERSION: "9.9"}, {"Authorization": "Basic bm86"}, {}])
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_it_is_open_to_all(self, lrs: Lrs, method: str, headers: dict[str, str | None]) -> None:
        """1.0.3 Communication 2.8: the about resource is answered whatever the version and without credentials."""
        assert lrs.send(method, "about", headers=headers).status_code == 200

    def test_it_lists_every_version(self, lrs: Lrs) -> None:
        """1.0.3 Communication 2.8: `version` holds all that are supported, each a string."""
        answer = lrs.send("GET", "about")
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json()["version"] == ["1.0.0", "1.0.1", "1.0.2", "1.0.3", "2.0.0"]
