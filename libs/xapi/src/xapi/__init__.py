"""The xAPI language (1.0.3 and 2.0, IEEE 9274.1.1) as types and pure functions: no I/O, no clock, no random.

A statement is **the JSON object exactly as it was sent**: that is checked, stored, compared, indexed, pseudonymised and
rendered. Its types (`Statement` and the others in `models`) are TypedDicts: the same object, read with known keys.

    from xapi import Version, negotiate, parse_statements, StatementInvalid

    version = negotiate(request.headers.get("X-Experience-API-Version"))
    for parsed in parse_statements(body, version):          # raises StatementInvalid(errors=[Problem(path, reason)])
        parsed.raw                                          # the dict that is stored, nothing changed
        parsed.statement["verb"]["id"]                      # the same dict, typed

Bytes to JSON and back are `loads` and `dumps`, never another library's: only they keep each number's text.

What the LRS adds: `complete(raw, statement_id=…, stored=…, authority=…, version=…)`. Same or conflict: `equal(a, b)`,
`difference(a, b)` (the pointer for the 409). What GET finds it by, in one walk: `Named.in_statement(raw)`; who is in it
with their places: `agents_of`, `learners_of`, `canonical_ifi`, `filter_agents`; what: `activities_of`,
`filter_activities`. To Kafka: `for_learner(raw, own)`. The query: `StatementQuery.parse(pairs, version)`. The answer:
`render(raw, "ids")`.

Modules: versions, errors, exact, models, rules, parsing (with reasons), completion, compare, identifiers, named,
pseudonymise, filters, formats, definitions, timestamps, durations, scores, leniency (what known emitters send beyond
the standard).
"""

from .compare import difference, equal
from .completion import complete
from .definitions import merge_definition
from .errors import Problem, QueryInvalid, StatementInvalid, VersionUnsupported, XapiError
from .exact import dumps, loads
from .filters import Format, StatementQuery
from .formats import render
from .identifiers import (
    ActivityRole,
    ActivityUse,
    AgentRole,
    AgentUse,
    activities_of,
    agents_of,
    canonical_ifi,
    filter_activities,
    filter_agents,
    learners_of,
)
from .leniency import Accepted, Allowance, Judgement, Rejected, judge_statement, judge_statements
from .models import VOIDED, Statement
from .named import Named
from .parsing import JsonObject, Parsed, parse_agent, parse_statement, parse_statements
from .pseudonymise import for_learner
from .scores import fraction
from .versions import ABOUT_VERSIONS, Version, negotiate

__all__ = [
    "ABOUT_VERSIONS",
    "VOIDED",
    "Accepted",
    "ActivityRole",
    "ActivityUse",
    "AgentRole",
    "AgentUse",
    "Allowance",
    "Format",
    "JsonObject",
    "Judgement",
    "Named",
    "Parsed",
    "Problem",
    "QueryInvalid",
    "Rejected",
    "Statement",
    "StatementInvalid",
    "StatementQuery",
    "Version",
    "VersionUnsupported",
    "XapiError",
    "activities_of",
    "agents_of",
    "canonical_ifi",
    "complete",
    "difference",
    "dumps",
    "equal",
    "filter_activities",
    "filter_agents",
    "for_learner",
    "fraction",
    "judge_statement",
    "judge_statements",
    "learners_of",
    "loads",
    "merge_definition",
    "negotiate",
    "parse_agent",
    "parse_statement",
    "parse_statements",
    "render",
]
