"""Hypothesis strategies for valid xAPI statements as JSON objects.

Whatever tells who someone is (names, addresses, accounts) and every response holds the mark `PERSONAL`, and nothing
else does, so that a test can search an output for it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from xapi import JsonObject, Version
from xapi.exact import Number

PERSONAL = "zqx"

uuids = st.builds(lambda number: str(UUID(int=number, version=4)), st.integers(0, 2**128 - 1))
iris = st.builds(
    "{}{}".format,
    st.sampled_from(["https://example.org/", "http://example.org/ü/", "urn:uuid:", "tag:example.org,2026:"]),
    st.text("abcdefgh0123456789-._~/", min_size=1, max_size=8),
)
language_tags = st.sampled_from(["en", "en-US", "de-CH-1996", "zh-Hans-CN", "es-419", "und", "x-klingon", "i-default"])
texts = st.text(max_size=20)
language_maps = st.dictionaries(language_tags, texts, max_size=3)
personal_texts = st.builds("{}{}".format, st.just(PERSONAL), st.text("abcé 123", max_size=6))
timestamps = st.builds(
    lambda moment, form: form(moment),
    st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(
        [
            lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S+01:00"),
            lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S.123-05:30"),
        ]
    ),
)
durations = st.sampled_from(["PT1H30M", "PT0.5S", "P4W", "P3Y1M29DT4H35M59.14S", "PT16559.14S", "P1D"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
extensions = st.dictionaries(iris, json_values, max_size=3)


def _with(required: dict[str, st.SearchStrategy[Any]], **optional: st.SearchStrategy[Any]) -> Any:
    return st.fixed_dictionaries(required, optional=optional)


identifiers: st.SearchStrategy[JsonObject] = st.one_of(
    st.builds(lambda n: {"mbox": f"mailto:{PERSONAL}{n}@Example.org"}, st.integers(0, 5)),
    st.builds(lambda n: {"mbox_sha1sum": f"{n:040x}"}, st.integers(2**159, 2**159 + 3)),
    st.builds(lambda n: {"openid": f"https://{PERSONAL}{n}.example.org/"}, st.integers(0, 5)),
    st.builds(
        lambda n: {"account": {"homePage": "https://lms.example.org", "name": f"{PERSONAL}|{n}"}}, st.integers(0, 5)
    ),
)


def _merged(*parts: JsonObject) -> JsonObject:
    return {key: value for part in parts for key, value in part.items()}


agents: st.SearchStrategy[JsonObject] = st.builds(
    _merged, _with({}, objectType=st.just("Agent"), name=personal_texts), identifiers
)
typed_agents: st.SearchStrategy[JsonObject] = st.builds(lambda agent: {**agent, "objectType": "Agent"}, agents)
_group_parts = _with({"objectType": st.just("Group")}, name=personal_texts)
identified_groups: st.SearchStrategy[JsonObject] = st.builds(
    _merged, _group_parts, identifiers, _with({}, member=st.lists(agents, max_size=3))
)
anonymous_groups: st.SearchStrategy[JsonObject] = st.builds(
    _merged, _group_parts, _with({"member": st.lists(agents, min_size=1, max_size=3)})
)
groups = identified_groups | anonymous_groups
actors = agents | groups

_components = st.lists(
    _with({"id": st.text("abcd", min_size=1, max_size=2)}, description=language_maps),
    max_size=3,
    unique_by=lambda component: component["id"],
)
_interactions: st.SearchStrategy[JsonObject] = st.one_of(
    st.just({}),
    _with({"interactionType": st.sampled_from(["true-false", "fill-in", "long-fill-in", "numeric", "other"])}),
    _with({"interactionType": st.sampled_from(["choice", "sequencing"])}, choices=_components),
    _with({"interactionType": st.just("likert"), "scale": _components}),
    _with({"interactionType": st.just("matching"), "source": _components, "target": _components}),
    _with({"interactionType": st.just("performance"), "correctResponsesPattern": st.lists(texts, max_size=2)}),
)
definitions: st.SearchStrategy[JsonObject] = st.builds(
    _merged,
    _with({}, name=language_maps, description=language_maps, type=iris, moreInfo=iris, extensions=extensions),
    _interactions,
)
activities: st.SearchStrategy[JsonObject] = _with({"id": iris}, objectType=st.just("Activity"), definition=definitions)
verbs: st.SearchStrategy[JsonObject] = _with({"id": iris}, display=language_maps)
statement_refs: st.SearchStrategy[JsonObject] = _with({"objectType": st.just("StatementRef"), "id": uuids})


@st.composite
def scores(draw: st.DrawFn) -> JsonObject:
    """Any subset of scaled, raw, min and max in their order."""
    low = draw(st.integers(-100, 100))
    high = low + draw(st.integers(1, 100))
    raw = draw(st.floats(low, high))
    whole: JsonObject = {"scaled": draw(st.floats(-1, 1)), "raw": raw, "min": low, "max": high}
    return {key: whole[key] for key in whole if draw(st.booleans())}


results: st.SearchStrategy[JsonObject] = _with(
    {},
    score=scores(),
    success=st.booleans(),
    completion=st.booleans(),
    response=personal_texts,
    duration=durations,
    extensions=extensions,
)
_some_activities = activities | st.lists(activities, max_size=2)
_relevant = {"relevantTypes": st.lists(iris, min_size=1, max_size=2)}
attachments: st.SearchStrategy[JsonObject] = _with(
    {
        "usageType": iris,
        "display": language_maps,
        "contentType": st.sampled_from(["text/plain; charset=ascii", "application/octet-stream"]),
        "length": st.integers(0, 2**40),
        "sha2": st.just("495395e777cd98da653df9615d09c0fd6bb2f8d4788394cd53c56a3bfdcd848a"),
    },
    description=st.builds(lambda text: {"en": text}, personal_texts),
    fileUrl=iris,
)


def contexts(version: Version, *, about_activity: bool) -> st.SearchStrategy[JsonObject]:
    """revision and platform only about an activity, contextAgents and contextGroups only in 2.0."""
    optional: dict[str, st.SearchStrategy[Any]] = {
        "registration": uuids,
        "instructor": actors,
        "team": groups,
        "contextActivities": _with(
            {}, parent=_some_activities, grouping=_some_activities, category=_some_activities, other=_some_activities
        ),
        "language": language_tags,
        "statement": statement_refs,
        "extensions": extensions,
    }
    if about_activity:
        optional |= {"revision": texts, "platform": texts}
    if version.is_2:
        optional["contextAgents"] = st.lists(
            _with({"objectType": st.just("contextAgent"), "agent": agents}, **_relevant), max_size=2
        )
        optional["contextGroups"] = st.lists(
            _with({"objectType": st.just("contextGroup"), "group": groups}, **_relevant), max_size=2
        )
    strategy: st.SearchStrategy[JsonObject] = _with({}, **optional)
    return strategy


_authorities = agents | st.builds(
    lambda a, b: {"objectType": "Group", "member": [a, b]},
    agents,
    agents,
)


@st.composite
def statements(draw: st.DrawFn, version: Version = Version.V2_0_0, *, nested: bool = False) -> JsonObject:
    """A valid statement of that dialect as a client may send it; `nested` makes a SubStatement."""
    kinds: list[st.SearchStrategy[Any]] = [activities, activities, typed_agents, groups, statement_refs]
    if not nested:
        kinds.append(statements(version, nested=True))
    target = draw(st.one_of(kinds))
    about_activity = target.get("objectType", "Activity") == "Activity"
    optional: dict[str, st.SearchStrategy[Any]] = {
        "result": results,
        "context": contexts(version, about_activity=about_activity),
        "timestamp": timestamps,
        "attachments": st.lists(attachments, max_size=2),
    }
    if not nested:
        optional |= {"id": uuids, "stored": timestamps, "authority": _authorities}
        optional["version"] = st.sampled_from(["1.0.0", "1.0.3", *(["2.0.0"] if version.is_2 else [])])
    rest: JsonObject = draw(_with({"actor": actors, "verb": verbs}, **optional))
    return {**rest, "object": target, **({"objectType": "SubStatement"} if nested else {})}


literals = st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)
"""Numbers as they may stand in JSON: any number of digits, within the range of a double."""


@st.composite
def with_literals(draw: st.DrawFn, valid: st.SearchStrategy[JsonObject]) -> JsonObject:
    """A valid statement whose result says numbers in every way that JSON allows."""
    statement = draw(valid)
    odd = draw(st.lists(st.builds(Number, literals), max_size=6))
    low, raw, high = (draw(st.sampled_from(texts)) for texts in (["-0", "0", "-1.50"], ["2.0", "3E0"], ["10", "1e1"]))
    score = {"raw": Number(raw), "min": Number(low), "max": Number(high), "scaled": Number(draw(_shares))}
    return {**statement, "result": {"score": score, "extensions": {"http://example.org/odd": odd}}}


_shares = st.from_regex(r"-?(0(\.[0-9]{1,20})?|1(\.0{1,5})?)", fullmatch=True)
