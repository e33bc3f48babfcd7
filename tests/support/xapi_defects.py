"""What breaks exactly one rule of the Data part, and the place that a refusal of it must name."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson
from hypothesis import strategies as st
from xapi import JsonObject, Version

from tests.support.xapi_strategies import statements

V1, V2 = Version.V1_0_3, Version.V2_0_0
ID = "12345678-1234-5678-1234-567812345678"
HASH = "495395e777cd98da653df9615d09c0fd6bb2f8d4788394cd53c56a3bfdcd848a"
AGENT = {"mbox": "mailto:ann@example.org"}
ATTACHMENT = {
    "usageType": "http://example.org/usage",
    "display": {"en": "a file"},
    "contentType": "text/plain",
    "length": 3,
    "sha2": HASH,
}
FULL: JsonObject = {
    "id": ID,
    "actor": {"objectType": "Agent", "name": "Ann", "account": {"homePage": "https://lms.example.org", "name": "ann"}},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/completed", "display": {"en-US": "completed"}},
    "object": {
        "objectType": "Activity",
        "id": "https://lms.example.org/quiz/1",
        "definition": {
            "type": "http://adlnet.gov/expapi/activities/cmi.interaction",
            "name": {"en": "Quiz"},
            "moreInfo": "https://lms.example.org/quiz/1/about",
            "interactionType": "choice",
            "correctResponsesPattern": ["a[,]b"],
            "choices": [{"id": "a", "description": {"en": "A"}}, {"id": "b"}],
            "extensions": {"http://example.org/x": None},
        },
    },
    "result": {
        "score": {"scaled": 0.5, "raw": 5, "min": 0, "max": 10},
        "success": True,
        "completion": False,
        "response": "a",
        "duration": "PT1H0.5S",
        "extensions": {"http://example.org/y": {"deep": [None, {"x": 1.50}]}},
    },
    "context": {
        "registration": ID,
        "instructor": AGENT,
        "team": {"objectType": "Group", "member": [AGENT]},
        "contextActivities": {"parent": {"id": "http://example.org/course"}, "other": [{"id": "http://example.org/o"}]},
        "revision": "1",
        "platform": "Moodle",
        "language": "en-US",
        "statement": {"objectType": "StatementRef", "id": ID},
        "extensions": {},
    },
    "timestamp": "2026-01-02T03:04:05.678Z",
    "stored": "2026-01-02T03:04:05.678Z",
    "authority": AGENT,
    "version": "1.0.0",
    "attachments": [{**ATTACHMENT, "description": {"en": "long"}, "fileUrl": "https://example.org/file"}],
}
SUB: JsonObject = {
    "objectType": "SubStatement",
    "actor": AGENT,
    "verb": {"id": "http://example.org/planned"},
    "object": {"id": "http://example.org/a"},
}


class _Missing:
    """Named alike in every process: it stands in the names of tests."""

    def __repr__(self) -> str:
        return "missing"


MISSING = _Missing()


def changed(path: str, value: Any, base: JsonObject = FULL) -> JsonObject:
    """A copy of base with one place set (or removed, by MISSING)."""
    result: JsonObject = orjson.loads(orjson.dumps(base))  # copies what stands at several places, too
    *parents, last = path.strip("/").split("/")
    place: Any = result
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place[part]
    if value is MISSING:
        del place[last]
    elif isinstance(place, list):
        place[int(last)] = value
    else:
        place[last] = value
    return result


class Defect(NamedTuple):
    """`value` (or MISSING) at `path` of FULL breaks `rule` (a clause of 1.0.3, part Data) at `named`, or at path."""

    rule: str
    path: str
    value: Any
    named: str | None = None

    @property
    def place(self) -> str:
        return self.named or self.path

    @property
    def dialects(self) -> tuple[Version, ...]:
        return (V2,) if self.rule.startswith("2.0 ") else (V1, V2)

    @property
    def in_substatement(self) -> bool:
        """Whether it breaks the same rule there."""
        is_own = self.path.split("/")[1] in ("id", "stored", "authority", "version")
        return not is_own and "SubStatement" not in repr(self.value)

    def put_into(self, part: JsonObject) -> JsonObject:
        """A copy of a valid statement or SubStatement in which this is what is wrong, and nothing else."""
        top = self.path.split("/")[1]
        host = {**part, **({top: FULL[top]} if top in FULL else {})}
        if top == "context":
            host["object"] = FULL["object"]
        elif top == "object":
            host = _about_anything(host)
        return changed(self.path, self.value, host)


def _about_anything(part: JsonObject) -> JsonObject:
    """Without what belongs to a statement about an activity alone."""
    context = {name: value for name, value in part.get("context", {}).items() if name not in ("revision", "platform")}
    return {**part, "context": context}


_TABLE: list[tuple[Any, ...]] = [
    ("2.2 actor is required", "/actor", MISSING, None),
    ("2.2 verb is required", "/verb", MISSING, None),
    ("2.2 object is required", "/object", MISSING, None),
    ("2.2 no null", "/actor/name", None, None),
    ("2.2 no null", "/result", None, None),
    ("2.2 no null in a language map", "/verb/display/en-US", None, None),
    ("2.2 no null", "/object/definition", None, None),
    ("2.2 no null", "/context/registration", None, None),
    ("2.2 no null", "/object/definition/moreInfo", None, None),
    ("2.2 unknown property", "/extra", 1, None),
    ("2.2 unknown property", "/actor/homePage", "http://example.org", None),
    ("2.2 unknown property", "/context/extra", "x", None),
    ("2.2 case of a key", "/Result", {}, None),
    ("2.2 case of a value", "/actor/objectType", "agent", None),
    ("2.2 case of a value", "/object/definition/interactionType", "Choice", None),
    ("2.2 a string, not a number", "/actor/name", 3, None),
    ("2.2 an object, not a string", "/actor", "ann", None),
    ("2.2 an object, not an array", "/verb", [], None),
    ("2.2 objectType is a string", "/actor/objectType", 1, None),
    ("2.4.1 id is a UUID", "/id", "AA97B177-9383-4934-8543-0F91A7A028368", None),
    ("2.4.1 id is a UUID", "/id", "MA97B177-9383-4934-8543-0F91A7A02836", None),
    ("2.4.1 id is a UUID", "/id", "12345678123456781234567812345678", None),
    ("2.4.1 id is a UUID", "/id", 7, None),
    ("2.4.1 no trailing newline", "/id", ID + "\n", None),
    ("2.4.2.1 one identifier", "/actor", {"name": "Ann"}, None),
    ("2.4.2.1 one identifier", "/actor/mbox", "mailto:a@example.org", "/actor"),
    ("2.4.2.1 an Agent has no member", "/actor/member", [AGENT], None),
    ("2.4.2.2 anonymous needs members", "/actor", {"objectType": "Group"}, None),
    ("2.4.2.2 anonymous needs members", "/actor", {"objectType": "Group", "member": []}, None),
    ("2.4.2.2 one identifier", "/actor", {"objectType": "Group", **AGENT, "openid": "http://e.org/"}, None),
    ("2.4.2.2 no group in a group", "/actor", {"objectType": "Group", "member": [{"objectType": "Group", **AGENT}]},
     "/actor/member/0/objectType"),
    ("2.4.2.3 mbox is a mailto IRI", "/context/instructor/mbox", "ann@example.org", None),
    ("2.4.2.3 mbox is a mailto IRI", "/context/instructor/mbox", "mailto:ann", None),
    ("2.4.2.3 mbox is a mailto IRI", "/context/instructor/mbox", "mailto:a@b,c@d", None),
    ("2.4.2.3 mbox is a mailto IRI", "/context/instructor/mbox", "", None),
    ("2.4.2.3 mbox_sha1sum", "/actor", {"mbox_sha1sum": "abc"}, "/actor/mbox_sha1sum"),
    ("2.4.2.3 mbox_sha1sum", "/actor", {"mbox_sha1sum": "g" * 40}, "/actor/mbox_sha1sum"),
    ("2.4.2.3 openid is a URI", "/actor", {"openid": "ann"}, "/actor/openid"),
    ("2.4.2.4 homePage is an IRL", "/actor/account/homePage", "lms", None),
    ("2.4.2.4 homePage is required", "/actor/account/homePage", MISSING, None),
    ("2.4.2.4 name is required", "/actor/account/name", MISSING, None),
    ("2.4.2.4 name is a string", "/actor/account/name", 12, None),
    ("2.4.2.4 account is an object", "/actor/account", "ann", None),
    ("2.4.3 verb id is required", "/verb/id", MISSING, None),
    ("2.4.3 verb id is an IRI", "/verb/id", "completed", None),
    ("2.4.3 verb id is an IRI", "/verb/id", "ab=c://should.fail.com", None),
    ("2.4.3 verb id is an IRI", "/verb/id", "http://example.org/a b", None),
    ("2.4.3 display is a map", "/verb/display", "completed", None),
    ("4.2 language tags", "/verb/display", {"a12345678": "x"}, "/verb/display/a12345678"),
    ("4.2 language tags", "/verb/display", {"en_US": "x"}, "/verb/display/en_US"),
    ("4.2 language tags", "/verb/display", {"something": "x"}, "/verb/display/something"),
    ("4.2 language tags", "/verb/display", {"": "x"}, "/verb/display/"),
    ("4.2 texts are strings", "/verb/display/en-US", 1, None),
    ("2.4.4 objectType is known", "/object/objectType", "Thing", None),
    ("2.4.4.1 activity id is required", "/object/id", MISSING, None),
    ("2.4.4.1 activity id is an IRI", "/object/id", "quiz", None),
    ("2.4.4.1 definition is an object", "/object/definition", "x", None),
    ("2.4.4.1 name is a map", "/object/definition/name", "Quiz", None),
    ("2.4.4.1 type is an IRI", "/object/definition/type", "quiz", None),
    ("2.4.4.1 moreInfo is an IRL", "/object/definition/moreInfo", "quiz", None),
    ("2.4.4.1 interactionType is known", "/object/definition/interactionType", "compound", None),
    ("2.4.4.1 pattern is an array", "/object/definition/correctResponsesPattern", "a", None),
    ("2.4.4.1 pattern is of strings", "/object/definition/correctResponsesPattern/0", 1, None),
    ("2.4.4.1 interactionType beside a pattern", "/object/definition", {"correctResponsesPattern": ["a"]}, None),
    ("2.4.4.1 lists belong to their type", "/object/definition/scale", [{"id": "a"}], None),
    ("2.4.4.1 ids within a list are distinct", "/object/definition/choices/1/id", "a", "/object/definition/choices"),
    ("2.4.4.1 component id is required", "/object/definition/choices/1", {}, "/object/definition/choices/1/id"),
    ("2.4.4.1 component id is a string", "/object/definition/choices/1/id", 1, None),
    ("2.4.4.2 an agent as object says so", "/object", AGENT, "/object/id"),
    ("2.4.4.3 StatementRef has a UUID", "/object", {"objectType": "StatementRef", "id": "x"}, "/object/id"),
    ("2.4.4.3 StatementRef has an id", "/object", {"objectType": "StatementRef"}, "/object/id"),
    ("2.4.5 success is a boolean", "/result/success", "true", None),
    ("2.4.5 success is a boolean", "/result/success", 1, None),
    ("2.4.5 completion is a boolean", "/result/completion", "false", None),
    ("2.4.5 response is a string", "/result/response", 5, None),
    ("2.4.5 duration is a string", "/result/duration", 12345, None),
    ("4.6 duration", "/result/duration", "PA1H0M0S", None),
    ("4.6 duration", "/result/duration", "P4W1D", None),
    ("4.6 duration", "/result/duration", "P", None),
    ("4.6 duration", "/result/duration", "P1DT", None),
    ("4.6 duration", "/result/duration", "PT1.5H1S", None),
    ("4.6 no alternative format", "/result/duration", "P0003-06-04T12:30:05", None),
    ("2.4.5.1 scaled at most 1", "/result/score/scaled", 1.01, None),
    ("2.4.5.1 scaled at least -1", "/result/score/scaled", -1.00001, None),
    ("2.4.5.1 scaled is a number", "/result/score/scaled", "0.5", None),
    ("2.4.5.1 a boolean is no number", "/result/score/raw", True, None),
    ("2.4.5.1 raw at most max", "/result/score/raw", 11, "/result/score"),
    ("2.4.5.1 raw at least min", "/result/score/raw", -1, "/result/score"),
    ("2.4.5.1 min less than max", "/result/score", {"min": 2, "max": 2}, None),
    ("2.4.5.1 score is an object", "/result/score", 5, None),
    ("2.4.6 registration is a UUID", "/context/registration", "x", None),
    ("2.4.6 instructor is an actor", "/context/instructor", {"name": "x"}, None),
    ("2.4.6 team is a Group", "/context/team", AGENT, "/context/team/objectType"),
    ("2.4.6 team is a Group", "/context/team", {"objectType": "Agent", **AGENT}, "/context/team/objectType"),
    ("2.4.6 revision is a string", "/context/revision", 1, None),
    ("2.4.6 language is a tag", "/context/language", "english language", None),
    ("2.4.6 statement is a StatementRef", "/context/statement", {"id": ID}, "/context/statement/objectType"),
    ("2.4.6 team needs members", "/context/team", {"objectType": "Group"}, None),
    ("2.4.6 an Agent in a team", "/context/team/member/0", {"name": "x"}, None),
    ("2.4.6.2 a definition is checked there too", "/context/contextActivities/other/0/definition",
     {"correctResponsesPattern": []}, None),
    ("2.4.6.2 a definition is checked there too", "/context/contextActivities/parent/definition",
     {"choices": []}, "/context/contextActivities/parent/definition/choices"),
    ("2.0 one identifier", "/context/contextAgents", [{"objectType": "contextAgent", "agent": {}}],
     "/context/contextAgents/0/agent"),
    ("2.0 no other property", "/context/contextAgents", [{"objectType": "contextAgent", "agent": AGENT, "x": 1}],
     "/context/contextAgents/0/x"),
    ("2.4.6.2 known keys", "/context/contextActivities/child", [], None),
    ("2.4.6.2 values are activities", "/context/contextActivities/parent", "x", None),
    ("2.4.6.2 values are activities", "/context/contextActivities/parent", {"objectType": "Agent", **AGENT},
     "/context/contextActivities/parent/objectType"),
    ("4.1 extension keys are IRIs", "/context/extensions", {"key": 1}, "/context/extensions/key"),
    ("4.1 extensions are an object", "/result/extensions", [], None),
    ("2.0 contextAgents is an array", "/context/contextAgents", {}, None),
    ("2.0 contextAgent objectType", "/context/contextAgents", [{"objectType": "Agent", "agent": AGENT}],
     "/context/contextAgents/0/objectType"),
    ("2.0 contextAgent objectType", "/context/contextAgents", [{"agent": AGENT}],
     "/context/contextAgents/0/objectType"),
    ("2.0 relevantTypes is not empty", "/context/contextAgents",
     [{"objectType": "contextAgent", "agent": AGENT, "relevantTypes": []}], "/context/contextAgents/0/relevantTypes"),
    ("2.0 relevantTypes are IRIs", "/context/contextGroups",
     [{"objectType": "contextGroup", "group": {"objectType": "Group", **AGENT}, "relevantTypes": ["abc"]}],
     "/context/contextGroups/0/relevantTypes/0"),
    ("2.0 contextGroup has a Group", "/context/contextGroups", [{"objectType": "contextGroup", "group": AGENT}],
     "/context/contextGroups/0/group/objectType"),
    ("4.5 timestamp", "/timestamp", "01/011/2015", None),
    ("4.5 timestamp", "/timestamp", "2026-01-02", None),
    ("4.5 timestamp that exists", "/timestamp", "2026-02-30T00:00:00Z", None),
    ("4.5 timestamp", "/timestamp", 1767322000, None),
    ("4.5 no -00", "/timestamp", "2008-09-15T15:53:00.601-00", None),
    ("4.5 no -0000", "/timestamp", "2008-09-15T15:53:00.601-0000", None),
    ("4.5 no -00:00", "/timestamp", "2008-09-15T15:53:00.601-00:00", None),
    ("2.0 RFC 3339 has an offset", "/timestamp", "2015-11-18T12:17:00", None),
    ("2.0 RFC 3339 has seconds", "/timestamp", "2015-11-18T12:17Z", None),
    ("2.0 RFC 3339 is extended", "/timestamp", "20151118T121700Z", None),
    ("4.5 an hour that exists", "/timestamp", "2026-01-02T25:00:00Z", None),
    ("4.5 nothing behind it", "/timestamp", "2026-01-02T00:00:00Z\n", None),
    ("2.4.8 stored is a timestamp", "/stored", "yesterday", None),
    ("2.4.9 authority is an Agent", "/authority", {"objectType": "Group", **AGENT}, None),
    ("2.4.9 or two Agents", "/authority", {"objectType": "Group", "member": [AGENT]}, "/authority/member"),
    ("2.4.9 or two Agents", "/authority", {"objectType": "Group", "member": [AGENT] * 3}, "/authority/member"),
    ("2.4.10 version", "/version", "1.1.0", None),
    ("2.4.10 version", "/version", "0.9.9", None),
    ("2.4.10 version", "/version", "1.0.", None),
    ("2.4.11 attachments is an array", "/attachments", {}, None),
    ("2.4.11 an attachment is an object", "/attachments/0", "x", None),
    ("2.4.11 usageType is required", "/attachments/0/usageType", MISSING, None),
    ("2.4.11 usageType is an IRI", "/attachments/0/usageType", "x", None),
    ("2.4.11 display is required", "/attachments/0/display", MISSING, None),
    ("2.4.11 contentType is a media type", "/attachments/0/contentType", "text", None),
    ("2.4.11 length is an integer", "/attachments/0/length", "3", None),
    ("2.4.11 length is an integer", "/attachments/0/length", 3.5, None),
    ("2.4.11 length is not negative", "/attachments/0/length", -1, None),
    ("2.4.11 sha2", "/attachments/0/sha2", "x" * 64, None),
    ("2.4.11 fileUrl is an IRL", "/attachments/0/fileUrl", "file", None),
    ("2.4.4.3 no nesting", "/object", {**SUB, "object": SUB}, "/object/object/objectType"),
    ("2.4.4.3 no id", "/object", {**SUB, "id": ID}, "/object/id"),
    ("2.4.4.3 no stored", "/object", {**SUB, "stored": "2026-01-01T00:00:00Z"}, "/object/stored"),
    ("2.4.4.3 no version", "/object", {**SUB, "version": "1.0.0"}, "/object/version"),
    ("2.4.4.3 no authority", "/object", {**SUB, "authority": AGENT}, "/object/authority"),
    ("2.4.4.3 is a statement", "/object", {k: v for k, v in SUB.items() if k != "actor"}, "/object/actor"),
]  # fmt: skip
DEFECTS = [Defect(*row) for row in _TABLE]


class Broken(NamedTuple):
    """A statement that breaks one rule. A refusal names the JSON pointer `place`, and nothing that is not `within`."""

    statement: JsonObject
    rule: str
    place: str
    within: str


@st.composite
def broken_statements(draw: st.DrawFn, version: Version = V2) -> Broken:
    """A valid statement of that dialect but for one defect, in itself or in its SubStatement."""
    defect = draw(st.sampled_from([one for one in DEFECTS if version in one.dialects]))
    nested = defect.in_substatement and draw(st.booleans())
    within = min(defect.path, defect.place, key=len)
    part = defect.put_into(draw(statements(version, nested=nested)))
    if not nested:
        return Broken(part, defect.rule, defect.place, within)
    whole = {**_about_anything(draw(statements(version))), "object": part}
    return Broken(whole, f"{defect.rule} (SubStatement)", f"/object{defect.place}", f"/object{within}")
