"""The alternate request syntax (1.0.3 Communication 1.3): a POST that stands for another request.

`POST …?method=PUT` with a form as its body: the headers that a browser could not set, the query parameters, and the
content. It is turned into the request that it stands for before anything else looks at it. 2.0 knows it no more.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlencode

from service_kit.problems import BadRequest, Problem, TooLarge
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from xapi import VersionUnsupported, negotiate
from xapi.versions import HEADER as VERSION

from ingest.http.paths import is_xapi
from ingest.statements.refusals import wrong_header, wrong_parameter

METHOD: Final = "method"
CONTENT: Final = "content"
METHODS: Final = ("GET", "HEAD", "PUT", "POST", "DELETE")
_WITH_CONTENT: Final = frozenset({"PUT", "POST"})
_FORM: Final = "application/x-www-form-urlencoded"
# Internet Explorer's XDomainRequest, whom the syntax was made for, says text/plain or nothing.
_MEDIA_TYPES: Final = frozenset({_FORM, "text/plain", ""})
_AS_HEADERS: Final = frozenset(
    {"authorization", "x-experience-api-version", "content-type", "content-length", "if-match", "if-none-match"}
)
_OF_THE_FORM: Final = frozenset({b"content-type", b"content-length", b"content-encoding", b"transfer-encoding"})
_MOST_FIELDS: Final = 100


@dataclass
class Form:
    """What the body of such a request holds."""

    headers: dict[str, str] = field(default_factory=dict)
    params: list[tuple[str, str]] = field(default_factory=list)
    content: bytes | None = None


class AlternateSyntax:
    """Stands inside the limit of the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or b"method" not in scope["query_string"] or not is_xapi(scope):
            await self._app(scope, receive, send)
            return
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if METHOD not in dict(query):
            await self._app(scope, receive, send)
            return
        try:
            method = _method(scope, query)
            form = read_form(await _body(receive))
            meant = _meant(scope, method, form)
        except Problem as problem:
            await problem.response()(scope, receive, send)
            return
        await self._app(meant, _once(form.content or b"", receive), _bare(send) if method == "HEAD" else send)


def _method(scope: Scope, query: list[tuple[str, str]]) -> str:
    """What the request says before its body is read. Raises `BadRequest`."""
    headers = Headers(scope=scope)
    _refuse_2(headers.get(VERSION))
    if scope["method"] != "POST":
        raise wrong_parameter(METHOD, "belongs to the alternate request syntax, whose requests are all POST")
    if extra := next((name for name, _ in query if name != METHOD), None):
        raise wrong_parameter(extra, "goes into the form in the alternate request syntax, not beside method")
    if len(query) > 1 or query[0][1] not in METHODS:
        raise wrong_parameter(METHOD, f"expected one of {', '.join(METHODS)}, once")
    if headers.get("Content-Type", "").partition(";")[0].strip().lower() not in _MEDIA_TYPES:
        raise wrong_header("Content-Type", f"expected {_FORM}, as the alternate request syntax has it")
    return query[0][1]


def _refuse_2(version: str | None) -> None:
    """A version that is not spoken at all is refused later, as that of any request."""
    try:
        is_2 = version is not None and negotiate(version).is_2
    except VersionUnsupported:
        return
    if is_2:
        raise wrong_parameter(METHOD, "is not a parameter of 2.0, which has no alternate request syntax")


async def _body(receive: Receive) -> bytes:
    """Raises `TooLarge`, `BadRequest`."""
    chunks, more = [], True
    while more:
        try:
            message = await receive()
        except HTTPException as error:
            raise (TooLarge if error.status_code == TooLarge.status else BadRequest)(error.detail) from None
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks)


def read_form(body: bytes) -> Form:
    """Raises `BadRequest`."""
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        detail = f"expected a form, URL encoded as UTF-8, of at most {_MOST_FIELDS} fields"
        raise _wrong_form("", detail) from None
    form = Form()
    for name, value in fields:
        if name == CONTENT:
            if form.content is not None:
                raise _wrong_form(CONTENT, "expected once, found twice")
            form.content = value.encode()
        elif name.lower() in _AS_HEADERS:
            if name.lower() in form.headers or not value.isascii():
                raise _wrong_form(name, "expected once, as a header can carry it")
            form.headers[name.lower()] = value
        else:
            form.params.append((name, value))
    return form


def _meant(scope: Scope, method: str, form: Form) -> Scope:
    """The request that is meant. Raises `BadRequest`."""
    _refuse_2(form.headers.get(VERSION.lower()))
    if method in _WITH_CONTENT and form.content is None:
        raise _wrong_form(CONTENT, f"is required with method={method}, and missing")
    if method not in _WITH_CONTENT and form.content is not None:
        raise _wrong_form(CONTENT, f"goes with PUT and POST, not with method={method}")
    given = {name.encode(): value.encode() for name, value in form.headers.items() if name != "content-length"}
    headers = [(name, value) for name, value in scope["headers"] if name not in _OF_THE_FORM | given.keys()]
    headers += [*given.items(), (b"content-length", str(len(form.content or b"")).encode())]
    return {**scope, "method": method, "query_string": urlencode(form.params).encode(), "headers": headers}


def _wrong_form(name: str, detail: str) -> BadRequest:
    place = {"parameter": name, "in": "form", "detail": detail} if name else {"pointer": "", "detail": detail}
    return BadRequest(f"Wrong input in the form{f' at {name}' if name else ''}: {detail}", errors=[place])


def _once(body: bytes, receive: Receive) -> Receive:
    messages: Iterable[Message] = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receiving() -> Message:
        for message in messages:
            return message
        return await receive()

    return receiving


def _bare(send: Send) -> Send:
    """To the server it is a POST, so that the answer to a HEAD must be bared of its body here."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [(name, value) for name, value in message["headers"] if name.lower() != b"content-length"]
            message = {**message, "headers": [*headers, (b"content-length", b"0")]}
        elif message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return sending
