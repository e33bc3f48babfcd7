"""`trellis import` and `trellis export` against a real ingest: interrupted, resumed, and round again."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from cli.main import app as trellis
from cli.oulad.errors import ImportStopped
from cli.oulad.posting import Patience
from cli.transfer import exporting, parquet
from cli.transfer.importing import Options, Origin, Outcome, copy, load
from pyarrow import parquet as arrow
from typer.testing import CliRunner

from tests.integration.ingest.lrs import Json, Lrs, statement, voiding
from tests.integration.ingest.test_imports_and_exports import OLD, exported, ids, imported, old
from tests.support.serving import serve

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


class Killed(Exception):
    """The import ends here, as a kill would end it."""


@dataclass
class House:
    """An ingest behind real HTTP with two tenants: `old` to copy from, `new` to copy to."""

    url: str
    old: Lrs
    new: Lrs
    folder: Path
    key: str
    secret: str

    @property
    def origin(self) -> Origin:
        return Origin(f"{self.url}/xapi/", self.key, self.secret)

    @property
    def options(self) -> Options:
        token = self.new.bearer("operator")["Authorization"].removeprefix("Bearer ")
        return Options(self.url, token, self.folder, patience=Patience(seconds=2))

    def request(self, lrs: Lrs, **params: str) -> exporting.Request:
        patience = exporting.Patience(seconds=2, sleep=lambda _: None)
        return exporting.Request(self.url, lrs.bearer("operator"), params, patience=patience)


@pytest.fixture
async def house(lrs: Lrs, tmp_path: Path) -> AsyncIterator[House]:
    new = {"name": "copying", "scopes": ["all/read"]}
    issued = (await lrs.http.post("/credentials", json=new, headers=lrs.bearer("operator"))).json()
    async with served(lrs.app) as url:
        yield House(url, lrs, await lrs.other_tenant(), tmp_path, issued["key"], issued["secret"])


@asynccontextmanager
async def served(app: Asgi) -> AsyncIterator[str]:
    """The app, whose lifespan is someone else's."""

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        for kind in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{kind}.complete"})

    async with serve(inner) as url:
        yield url


def with_attachment(data: bytes) -> Json:
    about = {
        "usageType": "https://example.org/usages/essay",
        "display": {"en": "essay"},
        "contentType": "application/octet-stream",
        "length": len(data),
        "sha2": hashlib.sha256(data).hexdigest(),
    }
    return statement(attachments=[about])


async def post_with(lrs: Lrs, statements: list[Json], data: list[bytes]) -> None:
    parts = [b"Content-Type: application/json\r\n\r\n" + json.dumps(statements).encode()]
    for one in data:
        sha2 = hashlib.sha256(one).hexdigest()
        head = f"Content-Transfer-Encoding: binary\r\nX-Experience-API-Hash: {sha2}\r\n\r\n"
        parts.append(b"Content-Type: application/octet-stream\r\n" + head.encode() + one)
    body = b"".join(b"\r\n--edge\r\n" + part for part in parts) + b"\r\n--edge--\r\n"
    answer = await lrs.post(body, headers={"Content-Type": "multipart/mixed; boundary=edge"})
    assert answer.status_code == 200, answer.text


async def copied(house: House, origin: Origin, options: Options, advanced: Callable[[int], None]) -> Outcome:
    """Once all that was stored is consistent."""
    await house.old.app.state.ingest.stamps.confirmed()
    return await copy(origin, options, advanced)


def nothing(_: int) -> None: ...


def killing(after: int) -> Callable[[int], None]:
    done = 0

    def advanced(number: int) -> None:
        nonlocal done
        done += number
        if done >= after:
            raise Killed

    return advanced


class TestCopying:
    async def test_everything_with_its_provenance(self, house: House) -> None:
        sent = [statement(result={"score": {"raw": i}}) for i in range(120)]
        await house.old.post(sent)
        outcome = await copied(house, house.origin, house.options, nothing)
        assert (outcome.progress.accepted, outcome.progress.rejected, outcome.up_to_date) == (120, 0, True)
        assert await house.new.walk(ascending="true") == [one["id"] for one in sent]
        first = await exported(house.old)
        for before, after in zip(first, await exported(house.new), strict=True):
            assert after["provenance"] == {name: before["statement"][name] for name in ("stored", "authority")}
            ours = {"stored": "", "authority": ""}
            assert before["statement"] | ours == after["statement"] | ours

    async def test_a_killed_one_goes_on(self, house: House) -> None:
        sent = [statement() for _ in range(1300)]
        for at in range(0, 1300, 325):
            await house.old.post(sent[at : at + 325])
        for _ in range(2):
            with pytest.raises(Killed):
                await copied(house, house.origin, house.options, killing(400))
        outcome = await copied(house, house.origin, house.options, nothing)
        assert outcome.before >= 800
        assert await house.new.walk(ascending="true") == [one["id"] for one in sent]
        assert await house.new.stored() == 1300

    async def test_later_it_brings_what_is_new(self, house: House) -> None:
        await house.old.post([statement() for _ in range(3)])
        await copied(house, house.origin, house.options, nothing)
        late = statement()
        await house.old.post(late)
        outcome = await copied(house, house.origin, house.options, nothing)
        assert outcome.progress.accepted <= 3 + 2 + 1  # the last two once more at most
        assert await house.new.stored() == 4
        assert (await house.new.ids())[0] == late["id"]

    async def test_voided_statements_come_too(self, house: House) -> None:
        one, other = statement(), statement()
        await house.old.post([one, other])
        await house.old.post(voiding(one["id"]))
        outcome = await copied(house, house.origin, house.options, nothing)
        assert (outcome.voided, outcome.voided_hidden) == (1, 0)
        assert (await house.new.get(voidedStatementId=one["id"])).status_code == 200
        assert one["id"] not in await house.new.walk()

    async def test_attachments_come_too(self, house: House) -> None:
        data = [b"short\r\n--not a boundary", secrets.token_bytes(300_000)]
        named = [with_attachment(one) for one in data]
        await house.old.post(statement())
        await post_with(house.old, named, data)
        outcome = await copied(house, house.origin, house.options, nothing)
        assert (outcome.progress.accepted, outcome.progress.rejected) == (3, 0)
        answer = await house.new.get(attachments="true")
        assert answer.headers["Content-Type"].startswith("multipart/mixed")
        for one in data:
            assert one in answer.content
        without = replace(house.origin, attachments=False)
        again = await copied(house, without, replace(house.options, anew=True), nothing)
        assert again.progress.accepted == 3

    async def test_wrong_secret(self, house: House) -> None:
        with pytest.raises(ImportStopped, match="401"):
            await copy(replace(house.origin, secret="wrong"), house.options, nothing)
        with pytest.raises(ImportStopped, match="401"):
            await copy(house.origin, replace(house.options, token="wrong"), nothing)


@dataclass
class Odd:
    """A source that answers in ways of its own: `pages` in turn, whose `more` is what `leads` makes of a number."""

    pages: list[list[Json | str]]
    leads: Callable[[int], str] = lambda number: f"/data/xAPI/statements?page={number}"
    through: str | None = None
    busy: int = 0
    asked: list[dict[str, list[str]]] = None  # type: ignore[assignment]  # made below
    versions: set[bytes] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.asked, self.versions = [], set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        query = parse_qs(scope["query_string"].decode())
        self.asked.append(query)
        self.versions.add(dict(scope["headers"]).get(b"x-experience-api-version", b""))
        status, headers, body = self._answer(scope["path"], query)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        if self.busy:
            self.busy -= 1
            return (429 if self.busy % 2 else 503), [(b"retry-after", b"0")], b""
        if path != "/data/xAPI/statements" or "voidedStatementId" in query:
            return 404, [], b""
        number = int(query.get("page", ["0"])[0])
        since = query.get("since", [""])[0]
        texts = [one if isinstance(one, str) else json.dumps(one, indent=1) for one in self.pages[number]]
        kept = [text for text in texts if _stored(text) > since]
        more = self.leads(number + 1) if number + 1 < len(self.pages) else ""
        body = '{ "more" : %s,\r\n "statements":[%s ]}' % (json.dumps(more), " ,\n".join(kept))  # noqa: UP031
        headers = [(b"x-experience-api-consistent-through", self.through.encode())] if self.through else []
        return 200, headers, body.encode()


def _stored(text: str) -> str:
    return text.partition('"stored": "')[2].partition('"')[0] or "~"


def at(second: int, **parts: Any) -> Json:
    return old(**parts) | {"stored": f"2020-01-02T03:04:{second:02}.000Z"}


class TestOddSources:
    @pytest.mark.parametrize(
        "leads",
        [
            lambda number: f"/data/xAPI/statements?page={number}",
            lambda number: f"statements?page={number}",
            lambda number: f"http://lrs.internal:9999/data/xAPI/statements?page={number}",
        ],
    )
    async def test_more_relative_absolute_and_of_another_host(self, house: House, leads: Callable[[int], str]) -> None:
        odd = Odd([[at(1)], [at(2)], [at(3)]], leads, busy=3)
        outcome = await self._copy(house, odd)
        assert outcome.progress.accepted == 3
        assert odd.versions == {b"1.0.3"}

    async def test_ties_over_the_end_of_a_page(self, house: House) -> None:
        """Killed between two statements with one `stored`, it leaves none out."""
        odd = Odd([[at(1), at(2), at(2)], [at(2), at(2)], [at(2), at(3)]])
        with pytest.raises(Killed):
            await self._copy(house, odd, killing(4))
        outcome = await self._copy(house, odd)
        assert odd.asked[-3]["since"] == ["2020-01-02T03:04:01.000Z"]
        assert await house.new.stored() == 7
        assert outcome.progress.rejected == 0

    async def test_what_is_not_consistent_yet_waits(self, house: House) -> None:
        odd = Odd([[at(1), at(2)], [at(3), at(4)], [at(5)]], through="2020-01-02T03:04:03Z")
        outcome = await self._copy(house, odd)
        assert not outcome.up_to_date
        assert await house.new.stored() == 3
        odd.through = None
        assert (await self._copy(house, odd)).up_to_date
        assert await house.new.stored() == 5

    async def test_invalid_statements_are_kept_aside(self, house: House) -> None:
        twice = json.dumps(at(2)).replace('"actor"', '"actor": 1, "actor"')
        odd = Odd([[at(1), at(2, verb={"id": "x"}), twice, at(3)]])
        outcome = await self._copy(house, odd)
        assert (outcome.progress.accepted, outcome.progress.rejected) == (2, 2)
        assert outcome.rejects is not None
        assert outcome.rejects.stat().st_mode & 0o077 == 0
        first, second = map(json.loads, outcome.rejects.read_bytes().splitlines())
        assert (first["pointer"], first["line"]["verb"]) == ("/verb/id", {"id": "x"})
        assert "twice" in second["detail"]

    async def test_numbers_as_they_stood(self, house: House) -> None:
        one = at(1, result={"extensions": {"https://e.org/n": 7}})
        text = json.dumps(one).replace(": 7}", ": 12345678901234567890.10}")
        await self._copy(house, Odd([[text]]))
        assert "12345678901234567890.10" in (await house.new.get()).text

    async def test_falling_order_is_noticed(self, house: House) -> None:
        with pytest.raises(ImportStopped, match="ascending"):
            await self._copy(house, Odd([[at(3), at(2)]]))

    async def test_no_lrs_at_all(self, house: House) -> None:
        with pytest.raises(ImportStopped, match="404"):
            await copy(replace(house.origin, endpoint=f"{house.url}/nothing"), house.options, nothing)

    async def _copy(self, house: House, odd: Odd, advanced: Callable[[int], None] = nothing) -> Any:
        async with served(odd) as url:
            origin = Origin(f"{url}/data/xAPI", "k", "s")
            fixed = house.options
            with pytest.MonkeyPatch.context() as patch:  # the port is another each time, the import is one
                patch.setattr(Origin, "import_id", f"odd-{id(odd)}")
                return await copy(origin, fixed, advanced)


class TestRoundTrip:
    async def test_export_and_import(self, house: House) -> None:
        await imported(house.old, *(old() for _ in range(5)))
        one = statement()
        await house.old.post([one, *(statement() for _ in range(250))])
        await house.old.post(voiding(one["id"]))
        file = house.folder / "all.jsonl"
        await asyncio.to_thread(self._write, house, file)
        zipped = house.folder / "all.jsonl.gz"
        zipped.write_bytes(gzip.compress(file.read_bytes()))
        with pytest.raises(Killed):
            await load(zipped, house.options, killing(200))
        outcome = await load(zipped, house.options, nothing)
        assert (outcome.before, outcome.progress.accepted, outcome.progress.rejected) == (200, 257, 0)
        before, after = await exported(house.old), await exported(house.new)
        assert ids(before) == ids(after)
        assert [line["provenance"] for line in after[:5]] == [{"stored": old()["stored"], "authority": OLD}] * 5

    async def test_a_broken_file_goes_on(self, house: House) -> None:
        await house.old.post([statement() for _ in range(450)])
        file = house.folder / "all.jsonl"
        with pytest.raises(Killed):
            await asyncio.to_thread(self._write, house, file, killing(300))
        assert not file.exists()
        (part,) = house.folder.glob("all.jsonl.*.part")
        with part.open("ab") as opened:
            opened.write(b'{"statement":{"id":')  # a line that was being written
        await asyncio.to_thread(self._write, house, file)
        assert ids([json.loads(line) for line in file.read_bytes().splitlines()]) == ids(await exported(house.old))
        assert file.stat().st_mode & 0o077 == 0

    async def test_a_stream_that_breaks_goes_on(self, house: House) -> None:
        await house.old.post([statement() for _ in range(450)])
        broken = 0

        async def breaking(scope: Any, receive: Any, send: Any) -> None:
            nonlocal broken
            chunks = 0

            async def some(message: Any) -> None:
                nonlocal chunks, broken
                if message["type"] == "http.response.body":
                    chunks += 1
                if chunks == 2 and broken < 3:
                    broken += 1
                    raise ConnectionError
                if message["type"] == "http.response.start":
                    message = {**message, "headers": [(k, v) for k, v in message["headers"] if k != b"content-length"]}
                await send(message)

            try:
                await house.old.app(scope, receive, some)
            except ConnectionError:
                await send({"type": "http.response.body", "body": b'{"statement":{"id', "more_body": False})

        async with served(breaking) as url:
            request = replace(house.request(house.old), url=url)
            lines = await asyncio.to_thread(lambda: list(exporting.lines(request)))
        assert broken >= 1
        assert ids([json.loads(line) for line in lines]) == ids(await exported(house.old))

    async def test_parquet(self, house: House) -> None:
        await imported(house.old, old())
        score = {"scaled": 0.5, "raw": 7}
        one = statement(result={"success": True, "score": score, "duration": "PT1M30S"})
        await house.old.post(one)
        out = io.BytesIO()
        await asyncio.to_thread(lambda: parquet.write(exporting.lines(house.request(house.old)), out))
        first, second = arrow.read_table(out).to_pylist()
        assert first["original_stored"].isoformat() == "2020-01-02T03:04:05.678000+00:00"
        assert json.loads(first["original_authority"]) == OLD
        assert second["id"] == one["id"]
        assert second["actor_account_name"] == "ada"
        assert (second["success"], second["completion"], second["duration_seconds"]) == (True, None, 90.0)
        assert (second["score_scaled"], second["score_raw"], second["score_min"]) == (0.5, 7.0, None)
        assert json.loads(second["statement"])["result"] == one["result"]
        assert (second["voided"], second["original_stored"]) == (False, None)

    async def test_the_commands(self, house: House) -> None:
        await house.old.post([statement(), statement(verb={"id": "https://example.org/verbs/saw"})])
        file = house.folder / "saw.jsonl"
        token = house.old.bearer("operator")["Authorization"].removeprefix("Bearer ")
        there = ["--url", house.url, "--token"]
        arguments = ["export", "--verb", "https://example.org/verbs/saw", "--plain", "--out", str(file)]
        done = await asyncio.to_thread(CliRunner().invoke, trellis, [*arguments, *there, token])
        assert done.exit_code == 0, done.output
        file.write_bytes(file.read_bytes() + b'{"no": "statement"}\n')
        arguments = ["import", "statements", str(file), *there, house.options.token]
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TRELLIS_DATA", str(house.folder))
            done = await asyncio.to_thread(CliRunner().invoke, trellis, arguments)
        assert done.exit_code == 1
        assert "accepted             1" in done.output
        assert "rejected             1" in done.output
        assert await house.new.stored() == 1

    def _write(self, house: House, file: Path, advanced: Callable[[int], None] = nothing) -> None:
        exporting.write_file(house.request(house.old), file, is_plain=False, advanced=advanced)
