"""Posting: batches, waiting, halving, going on after a break. Against a small LRS of our own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cli.main import app
from cli.oulad import importing
from cli.oulad.dataset import Refusal
from cli.oulad.errors import ImportStopped
from cli.oulad.importing import Options, Outcome, Target
from cli.oulad.posting import Patience, Poster, persistently, reason_of
from cli.oulad.progress import Delivery, journal
from cli.oulad.statements import Made
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests.support import oulad_files

Answer = tuple[int, dict[str, str], Any]
ALL = 17  # statements of the sample: 4 enrolments, 4 submissions with a score, 1 without


@dataclass
class Lrs:
    """Answers POSTs: by `answers` while there are any, else as an LRS that refuses the ids in `bad`."""

    stored: dict[str, Any] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)
    answers: list[Answer] = field(default_factory=list)
    posts: list[list[Any]] = field(default_factory=list)
    others: list[tuple[str, bytes]] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, body: bytes) -> Answer:
        if not path.startswith("/xapi/"):
            self.others.append((path, body))
            return 200, {}, {}
        batch = json.loads(body)
        self.posts.append(batch)
        if self.answers:
            return self.answers.pop(0)
        wrong = [i for i, statement in enumerate(batch) if statement["id"] in self.bad]
        if wrong:
            return 400, {}, {"errors": [{"pointer": f"/{i}/verb", "detail": "not good"} for i in wrong]}
        self.stored.update({statement["id"]: statement for statement in batch})
        return 200, {}, [statement["id"] for statement in batch]


@pytest.fixture
def lrs() -> Iterator[Lrs]:
    found, lock = Lrs(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                status, headers, value = found.answer(self.path, body)
            content = json.dumps(value).encode()
            self.send_response(status)
            for name, text in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        found.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        server.shutdown()
        thread.join()


class Silent:
    """Counts what was answered."""

    def __init__(self) -> None:
        self.done = 0

    def says(self, line: str) -> None: ...

    def total(self, statements: int) -> None: ...

    def advanced(self, statements: int) -> None:
        self.done += statements


@dataclass
class Time:
    """Passes only while someone sleeps."""

    at: float = 0.0
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds

    def patience(self, seconds: float = 60.0) -> Patience:
        return Patience(seconds, self.sleep, lambda: self.at)


def target(lrs: Lrs) -> Target:
    return Target(f"{lrs.url}/xapi", "key", "secret")


def options(tmp_path: Path, time: Time | None = None) -> Options:
    patience = (time or Time()).patience()
    return Options(state=tmp_path / "state" / "oulad.jsonl", batch=5, connections=2, patience=patience)


def run(tmp_path: Path, lrs: Lrs, **changes: Any) -> Outcome:
    folder = oulad_files.write(tmp_path / "data")
    return importing.run(folder, target(lrs), replace(options(tmp_path), **changes), Silent())


def test_all_is_posted_once_and_again_without_a_change(tmp_path: Path, lrs: Lrs) -> None:
    first = run(tmp_path, lrs)
    assert (first.statements, first.accepted, first.refusals) == (ALL, ALL, ())
    assert str(first.as_of) == "2014-09-29"
    before = dict(lrs.stored)
    assert len(before) == ALL
    second = run(tmp_path, lrs)
    assert (second.accepted, lrs.stored) == (ALL, before)
    assert sum(len(batch) for batch in lrs.posts) == 2 * ALL
    assert not (tmp_path / "state" / "oulad.jsonl").exists()


def test_a_batch_holds_whole_learners(tmp_path: Path, lrs: Lrs) -> None:
    run(tmp_path, lrs)
    students = [{s["actor"]["account"]["name"] for s in batch} for batch in lrs.posts]
    assert sorted(name for batch in students for name in batch) == ["101", "102", "103"]


def test_what_is_refused_is_named_and_the_rest_is_taken(tmp_path: Path, lrs: Lrs) -> None:
    run(tmp_path, lrs)
    bad = next(i for i, s in lrs.stored.items() if s.get("result") == {"completion": True})
    lrs.stored, lrs.bad = {}, {bad}
    outcome = run(tmp_path, lrs)
    assert outcome.refusals == (Refusal("studentAssessment", 4, "400: /0/verb not good"),)
    assert outcome.accepted == len(lrs.stored) == ALL - 1
    assert outcome.statements == ALL


def test_rows_that_cannot_be_used_are_among_the_refused(tmp_path: Path, lrs: Lrs) -> None:
    text = oulad_files.SUBMISSIONS + "99,101,1,0,50\n"
    folder = oulad_files.write(tmp_path / "data", {"studentAssessment": text})
    outcome = importing.run(folder, target(lrs), options(tmp_path), Silent())
    assert [(refusal.file, refusal.line) for refusal in outcome.refusals] == [("studentAssessment", 7)]
    assert (outcome.statements, outcome.read["studentAssessment"]) == (ALL, 6)


def test_what_is_not_recorded_is_counted(tmp_path: Path, lrs: Lrs) -> None:
    lrs.answers = [(200, {"Trellis-Not-Recorded": "3"}, [])]
    outcome = run(tmp_path, lrs)
    assert (outcome.accepted, outcome.not_recorded, outcome.statements) == (ALL - 3, 3, ALL)


def test_a_broken_import_goes_on_where_it_stopped(tmp_path: Path, lrs: Lrs) -> None:
    (first, *_) = [run(tmp_path, lrs)]
    assert len(lrs.posts) == 3
    lrs.posts, lrs.stored = [], {}
    lrs.answers = [(200, {}, []), (403, {}, {"detail": "no"})]
    with pytest.raises(ImportStopped, match="answers 403: no"):
        run(tmp_path, lrs, connections=1)
    assert len(lrs.posts) == 2
    outcome = run(tmp_path, lrs, connections=1)
    assert len(lrs.posts) == 4
    assert outcome.resumed == len(lrs.posts[0])
    assert (outcome.statements, outcome.accepted) == (first.statements, first.accepted)


def test_catalog_and_roster_come_before_the_statements(tmp_path: Path, lrs: Lrs) -> None:
    folder = oulad_files.write(tmp_path / "data")
    everything = replace(target(lrs), token="t", recommendation=lrs.url, insights=lrs.url)
    importing.run(folder, everything, options(tmp_path), Silent())
    assert [path for path, _ in lrs.others] == ["/catalog/import", "/rosters/import?mode=merge"]


def test_it_waits_as_long_as_it_is_told(tmp_path: Path, lrs: Lrs) -> None:
    time = Time()
    lrs.answers = [(429, {"Retry-After": "7"}, {}), (503, {"Retry-After": "2"}, {}), (502, {}, {})]
    outcome = run(tmp_path, lrs, patience=time.patience(), connections=1)
    assert outcome.accepted == ALL
    assert time.slept[:2] == [7.0, 2.0]
    assert len(time.slept) == 3


def test_an_lrs_that_stays_away_ends_it_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ImportStopped, match=r"does not take anything since 60 s .* goes on where"):
        run(tmp_path, Lrs(url="http://127.0.0.1:1"))


@settings(deadline=None)
@given(bad=st.sets(st.integers(0, 30)), size=st.integers(1, 31))
def test_halving_finds_each_refused_statement_and_keeps_the_order(bad: set[int], size: int) -> None:
    taken: list[int] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        numbers = [statement["number"] for statement in json.loads(request.content)]
        if bad & set(numbers):
            return httpx2.Response(409, json={"detail": "another one is stored"})
        taken.extend(numbers)
        return httpx2.Response(200, json=[])

    delivery = asyncio.run(_deliver(answer, [Made("f", number, {"number": number}) for number in range(size)]))
    assert taken == [number for number in range(size) if number not in bad]
    assert [refusal.line for refusal in delivery.refused] == [number for number in range(size) if number in bad]
    assert delivery.accepted == len(taken)


async def _deliver(answer: Callable[[httpx2.Request], httpx2.Response], batch: list[Made]) -> Delivery:
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as http:
        return await Poster(http, "http://lrs.example/xapi").deliver(batch)


@pytest.mark.parametrize(("status", "refuses"), [(403, True), (413, True), (401, False), (404, False)])
def test_who_is_refused_the_statement_or_the_sender(status: int, refuses: bool) -> None:
    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, json={"errors": [{"index": 0, "detail": "why"}]})

    delivery = _deliver(answer, [Made("f", 1, {})])
    if refuses:
        assert asyncio.run(delivery).refused == (Refusal("f", 1, f"{status}: why"),)
    else:
        with pytest.raises(ImportStopped, match=f"answers {status}: why"):
            asyncio.run(delivery)


def test_reasons_of_other_answers() -> None:
    assert reason_of(httpx2.Response(500, text="broken")) == "broken"
    assert reason_of(httpx2.Response(500, json=["x"])) == '["x"]'
    assert reason_of(httpx2.Response(500)) == "no reason given"
    query = [{"parameter": "since", "in": "query", "detail": "expected a time"}]
    assert reason_of(httpx2.Response(400, json={"detail": "wrong", "errors": query})) == "since expected a time"


@pytest.mark.parametrize("address", ["old.example/xapi", "ftp://old.example/xapi"])
async def test_no_patience_with_what_is_no_address(address: str) -> None:
    time = Time()
    async with httpx2.AsyncClient() as http:
        with pytest.raises(ImportStopped, match="no address"):
            await persistently(lambda: http.get(address), address, time.patience())
    assert time.slept == []


class TestJournal:
    def test_it_forgets_another_imports_batches(self, tmp_path: Path) -> None:
        self._broken(tmp_path / "j", "one")
        with journal(tmp_path / "j", "two") as kept:
            assert kept.done == {}

    def test_it_survives_a_torn_line(self, tmp_path: Path) -> None:
        self._broken(tmp_path / "j", "one")
        with (tmp_path / "j").open("ab") as file:
            file.write(b'{"batch": 5, "acc')
        with journal(tmp_path / "j", "one") as kept:
            assert kept.done == {4: Delivery(3, 1, (Refusal("f", 9, "why"),))}

    def test_it_leaves_other_files_alone(self, tmp_path: Path) -> None:
        (tmp_path / "j").write_text("my thesis\n")
        with pytest.raises(ImportStopped, match="name another file"), journal(tmp_path / "j", "one"):
            pass
        assert (tmp_path / "j").read_text() == "my thesis\n"

    def test_one_import_at_a_time(self, tmp_path: Path) -> None:
        with (
            journal(tmp_path / "j", "one"),
            pytest.raises(ImportStopped, match="another import is running"),
            journal(tmp_path / "j", "one"),
        ):
            pass

    def _broken(self, path: Path, import_: str) -> None:
        with contextlib.suppress(RuntimeError), journal(path, import_) as kept:
            kept.add(4, Delivery(3, 1, (Refusal("f", 9, "why"),)))
            raise RuntimeError


class TestCommand:
    def _run(self, lrs: Lrs, folder: Path, state: Path) -> Any:
        arguments = ["import", "oulad", str(folder), "--url", f"{lrs.url}/xapi", "--key", "k", "--secret", "s"]
        return CliRunner().invoke(app, [*arguments, "--state", str(state)])

    def test_it_tells_what_it_did(self, tmp_path: Path, lrs: Lrs) -> None:
        done = self._run(lrs, oulad_files.write(tmp_path / "data"), tmp_path / "state")
        assert done.exit_code == 0, done.output
        assert f"accepted            {ALL}" in done.stdout
        assert "?as_of=2014-09-29" in done.stdout

    def test_a_refused_row_is_named_and_the_exit_code_1(self, tmp_path: Path, lrs: Lrs) -> None:
        text = oulad_files.SUBMISSIONS + "11,109,1,0,101\n"
        folder = oulad_files.write(tmp_path / "data", {"studentAssessment": text})
        done = self._run(lrs, folder, tmp_path / "state")
        assert done.exit_code == 1
        assert "refused: studentAssessment.csv line 7: score is not between 0 and 100: '101'" in done.stderr
        assert len(lrs.stored) == ALL

    def test_without_a_stack_it_says_so(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TRELLIS_DATA", str(tmp_path))
        done = CliRunner().invoke(app, ["import", "oulad", str(tmp_path)])
        assert done.exit_code == 1
        assert "no stack is running" in done.stderr
