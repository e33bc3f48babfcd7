"""What OpenAPI says of the statements resource, whose bodies are read without a model.

The schemas give the shape alone; what else the standards demand is refused with the pointer and the reason.
"""

from typing import Any, Final

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_IRI: Final[Schema] = {"type": "string", "format": "iri", "examples": ["https://example.org/activities/1"]}
_UUID: Final[Schema] = {"type": "string", "format": "uuid"}
_BOOLEAN: Final[Schema] = {"type": "boolean", "default": False}
_TIME: Final[Schema] = {"type": "string", "format": "date-time"}
_NUMBER: Final[Schema] = {"type": "number"}
_LANGUAGES: Final[Schema] = {"type": "object", "additionalProperties": _TEXT, "examples": [{"en": "answered"}]}
_EXTENSIONS: Final[Schema] = {"type": "object", "propertyNames": {"format": "iri"}}


def _object(required: tuple[str, ...], properties: Schema) -> Schema:
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema | ({"required": list(required)} if required else {})


_MBOX: Final[Schema] = {"type": "string", "pattern": "^mailto:[a-z0-9.]{1,20}@[a-z0-9]{1,20}[.]org$"}
_ACCOUNT: Final = _object(("homePage", "name"), {"homePage": _IRI, "name": _TEXT})
AGENT: Final[Schema] = {
    "description": "An Agent, by exactly one of mbox, mbox_sha1sum, openid, account",
    "oneOf": [
        _object((name,), {"objectType": {"const": "Agent"}, "name": _TEXT, name: schema})
        for name, schema in {
            "mbox": _MBOX,
            "mbox_sha1sum": {"type": "string", "pattern": "^[0-9a-f]{40}$"},
            "openid": _IRI,
            "account": _ACCOUNT,
        }.items()
    ],
}
_GROUP: Final = _object(
    ("objectType", "member"),
    {
        "objectType": {"const": "Group"},
        "name": _TEXT,
        "account": _ACCOUNT,
        "member": {"type": "array", "items": AGENT, "minItems": 1},
    },
)
_ACTOR: Final[Schema] = {"oneOf": [AGENT, _GROUP]}
_ACTIVITY: Final = _object(
    ("id",),
    {
        "objectType": {"const": "Activity"},
        "id": _IRI,
        "definition": _object(
            (),
            {
                "name": _LANGUAGES,
                "description": _LANGUAGES,
                "type": _IRI,
                "moreInfo": _IRI,
                "extensions": _EXTENSIONS,
            },
        ),
    },
)
_REFERENCE: Final = _object(("objectType", "id"), {"objectType": {"const": "StatementRef"}, "id": _UUID})
_RESULT: Final = _object(
    (),
    {
        "score": _object((), {"scaled": {"type": "number", "minimum": -1, "maximum": 1}, "raw": _NUMBER}),
        "success": {"type": "boolean"},
        "completion": {"type": "boolean"},
        "response": _TEXT,
        "duration": {"type": "string", "pattern": "^PT[0-9]{1,6}S$"},
        "extensions": _EXTENSIONS,
    },
)
_ACTIVITIES: Final[Schema] = {"type": "array", "items": _ACTIVITY}
_CONTEXT: Final = _object(
    (),
    {
        "registration": _UUID,
        "instructor": _ACTOR,
        "team": _GROUP,
        "contextActivities": _object((), dict.fromkeys(("parent", "grouping", "category", "other"), _ACTIVITIES)),
        "revision": _TEXT,
        "platform": _TEXT,
        "language": {"type": "string", "pattern": "^[a-z]{2}(-[A-Z]{2})?$"},
        "statement": _REFERENCE,
        "extensions": _EXTENSIONS,
    },
)
STATEMENT: Final = _object(
    ("actor", "verb", "object"),
    {
        "id": _UUID,
        "actor": _ACTOR,
        "verb": _object(("id",), {"id": _IRI, "display": _LANGUAGES}),
        "object": {"oneOf": [_ACTIVITY, AGENT, _GROUP, _REFERENCE]},
        "result": _RESULT,
        "context": _CONTEXT,
        "timestamp": _TIME,
        "stored": _TIME,
        "authority": _ACTOR,
        "version": {"type": "string", "enum": ["1.0.0", "1.0.3", "2.0.0"]},
        "attachments": {"type": "array", "items": {"type": "object"}},
    },
)
_STATEMENT_RESULT: Final[Schema] = {
    "type": "object",
    "required": ["statements", "more"],
    "properties": {
        "statements": {"type": "array", "items": {"type": "object"}},
        "more": {"type": "string", "description": "Where the next page is, relative; empty on the last"},
    },
}
_QUERY: Final[dict[str, Schema]] = {
    "statementId": _UUID,
    "voidedStatementId": _UUID,
    "agent": {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": AGENT,
        "description": "An identified Agent or Group as JSON",
        "examples": ['{"mbox":"mailto:ada@example.org"}'],
    },
    "verb": _IRI,
    "activity": _IRI,
    "registration": _UUID,
    "related_activities": _BOOLEAN,
    "related_agents": _BOOLEAN,
    "since": _TIME,
    "until": _TIME,
    "limit": {"type": "integer", "minimum": 0, "maximum": 999_999_999, "default": 0},
    "format": {"type": "string", "enum": ["ids", "exact", "canonical"], "default": "exact"},
    "attachments": _BOOLEAN,
    "ascending": _BOOLEAN,
    "more": {"type": "string", "description": "From the `more` of an answer; goes with no other parameter"},
}


def _parameter(name: str, schema: Schema, *, place: str = "query", required: bool = False) -> Schema:
    return {"name": name, "in": place, "required": required, "schema": schema}


def _body(schema: Schema) -> Schema:
    parts = "The statements as application/json, then the data of each attachment with its X-Experience-API-Hash"
    return {
        "required": True,
        "description": "May be compressed: Content-Encoding gzip or deflate",
        "content": {
            "application/json": {"schema": schema},
            "multipart/mixed": {"schema": {"type": "string", "format": "binary", "description": parts}},
        },
    }


def _answer(description: str, schema: Schema | None = None) -> Schema:
    content = {} if schema is None else {"content": {"application/json": {"schema": schema}}}
    return {"description": description, **content}


_REFUSED: Final[Schema] = {
    "409": _answer("Another statement with this id is stored"),
    "413": _answer("Too many bytes, statements or attachments"),
    "415": _answer("A Content-Encoding that is not known here"),
}
POST: Final[Schema] = {
    "requestBody": _body({"oneOf": [STATEMENT, {"type": "array", "items": STATEMENT, "minItems": 1}]}),
    "responses": {
        "200": _answer("The ids, in order", {"type": "array", "items": _UUID}),
        **_REFUSED,
    },
}
PUT: Final[Schema] = {
    "parameters": [_parameter("statementId", _UUID, required=True)],
    "requestBody": _body(STATEMENT),
    "responses": {"204": _answer("It is stored"), **_REFUSED},
}
GET: Final[Schema] = {
    "parameters": [
        *(_parameter(name, schema) for name, schema in _QUERY.items()),
        _parameter("Accept-Language", _TEXT, place="header"),
        _parameter("If-None-Match", _TEXT, place="header"),
    ],
    "responses": {
        "200": {
            "description": "A statement, or a StatementResult; with attachments=true as the first part of a multipart",
            "content": {
                "application/json": {"schema": {"oneOf": [{"type": "object", "required": ["id"]}, _STATEMENT_RESULT]}},
                "multipart/mixed": {"schema": {"type": "string", "format": "binary"}},
            },
        },
        "304": _answer("The caller holds this statement already"),
        "404": _answer("There is no such statement, or it is voided"),
    },
}
