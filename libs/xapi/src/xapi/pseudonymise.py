"""The Kafka form of a statement: still valid, and without a word that says who anyone is.

The form is built from what is known to be harmless rather than by deleting what is known to be harmful:

- every agent and group becomes an account at `HOME_PAGE`, named `self` for the learner and `other-1`, `other-2` … for
  everyone else, numbered in the order of `agents_of`; the same identifier gets the same name, an anonymous group
  always one of its own. A group is named as a whole and its members are left out, so that it says nothing of its size
  (only an authority of two agents keeps them: no other group is valid there);
- names, `result.response` and attachments are left out;
- what is open text or data (extensions, display, definitions' texts, platform, revision) is kept, but an entry that
  repeats an identifier or name of anyone in the statement is dropped, and in the result's and context's also one that
  repeats the response. The ids of verbs and activities and the lists of an interaction belong to the activity, which
  all learners share, and stay as they are;
- where the actor is a Group of which the learner is a member (or which is itself the learner), the statement goes out
  with the learner as actor, an Agent, and `context.extensions` says so under `GROUP_EXTENSION`:
  `{"name": "other-1", "members": 4}`. A field of context could not: `team` may be taken by another group. Who is named
  twice is one member; a group without an identifier that names the learner alone is the learner, and no mark says so;
- `context.extensions` says under `PROVIDER_EXTENSION`, by a digest, where the learner's identifier is from.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any, Final

from .identifiers import ACTIVITY_TYPES, agents_of, canonical_ifi, provider_digest, provider_of
from .parsing import JsonObject

HOME_PAGE: Final = "https://trellis.invalid/learners"
SELF: Final = "self"
GROUP_EXTENSION: Final = "https://trellis.invalid/extensions/group"
"""In `context.extensions`: the statement's actor was this Group, and the learner is one of its members."""

IMPORTED_EXTENSION: Final = "https://trellis.invalid/extensions/imported-from"
"""In `context.extensions`: the issuer of the record with which the statement came from elsewhere."""

PROVIDER_EXTENSION: Final = "https://trellis.invalid/extensions/identity-provider"
"""In `context.extensions`: a digest of the home page of the learner's account, or of the domain of the learner's
address: by it can be told who is staff by the policy's lists, and nobody from others there."""

_SHORTEST_PART: Final = 4
"""Shorter secrets are looked for as whole texts only: "Al" stands in too many words, and 5 is any number."""


def for_learner(statement: JsonObject, own: AbstractSet[str], imported_from: str | None = None) -> JsonObject:
    """The statement as Kafka carries it under the learner who has the canonical identifiers `own`; a new object.

    A statement in which the learner is not the actor (a voiding by a teacher) keeps `other-n` as its actor. What
    anyone but `imported_from` says of where it was imported from is left out.
    """
    pseudonymiser = _Pseudonymiser(statement, own)
    found = pseudonymiser.statement()
    marks = {IMPORTED_EXTENSION: imported_from, PROVIDER_EXTENSION: pseudonymiser.provider()}
    extensions = found.get("context", {}).get("extensions", {})
    for name in marks:
        extensions.pop(name, None)
    if own_marks := {name: value for name, value in marks.items() if value is not None}:
        found.setdefault("context", {}).setdefault("extensions", {}).update(own_marks)
    return found


class _Pseudonymiser:
    """One statement's names in order of appearance, and its words that may not go out."""

    def __init__(self, statement: JsonObject, own: AbstractSet[str]) -> None:
        self._source = statement
        self._own = own
        self._names: dict[str, str] = {}
        self._others = 0
        identities = list(_identities_of(statement))
        self._identity = Secrets(identities)
        self._secrets = Secrets([*identities, *_responses_of(statement)])

    def statement(self) -> JsonObject:
        source = self._source
        result: JsonObject = {key: source[key] for key in ("id", "timestamp", "stored", "version") if key in source}
        result |= self._part(source)
        if (authority := source.get("authority")) is not None:
            result["authority"] = self._authority(authority)
        return result

    def provider(self) -> str | None:
        """Of the learner's identifier, where the learner acts; None where it would name anyone."""
        actor = self._source["actor"]
        if self._own.isdisjoint(canonical_ifi(one) for one in (actor, *actor.get("member", ()))):
            return None
        found = next((one for ifi in sorted(self._own) if (one := provider_of(ifi)) is not None), None)
        return None if found is None or self._identity.in_value(found) else provider_digest(found)

    def _part(self, source: JsonObject) -> JsonObject:
        """What a statement and a SubStatement have in common."""
        actor, mark = self._actor(source["actor"])
        result: JsonObject = {"actor": actor, "verb": self._with_text(source["verb"], self._identity, "display")}
        result["object"] = self._object(source["object"])
        if "result" in source:
            result["result"] = self._result(source["result"])
        context = self._context(source.get("context", {}))
        if mark is not None:
            context["extensions"] = {**context.get("extensions", {}), GROUP_EXTENSION: mark}
        if context or "context" in source:
            result["context"] = context
        return result

    def _actor(self, actor: JsonObject) -> tuple[JsonObject, JsonObject | None]:
        if actor.get("objectType") != "Group":
            return self._agent(actor), None
        members = {canonical_ifi(member) for member in actor.get("member", ())}
        if canonical_ifi(actor) not in self._own and self._own.isdisjoint(members):
            return self._agent(actor), None
        if canonical_ifi(actor) is None and members <= self._own:
            return _account("Agent", SELF), None
        mark = {"name": self._name(canonical_ifi(actor)), "members": len(members)}
        return _account("Agent", SELF), mark

    def _name(self, ifi: str | None) -> str:
        if ifi is not None and ifi in self._own:
            return SELF
        if ifi is not None and ifi in self._names:
            return self._names[ifi]
        self._others += 1
        name = f"other-{self._others}"
        if ifi is not None:
            self._names[ifi] = name
        return name

    def _agent(self, agent: JsonObject) -> JsonObject:
        return _account(agent.get("objectType", "Agent"), self._name(canonical_ifi(agent)))

    def _authority(self, authority: JsonObject) -> JsonObject:
        if authority.get("objectType") != "Group":
            return self._agent(authority)
        return {"objectType": "Group", "member": [self._agent(member) for member in authority["member"]]}

    def _object(self, source: JsonObject) -> JsonObject:
        kind = source.get("objectType", "Activity")
        if kind in ("Agent", "Group"):
            return self._agent(source)
        if kind == "SubStatement":
            times = {key: source[key] for key in ("objectType", "timestamp") if key in source}
            return times | self._part(source)
        return self._activity(source) if kind in ACTIVITY_TYPES else {"objectType": kind, "id": source["id"]}

    def _activity(self, source: JsonObject) -> JsonObject:
        if "definition" not in source:
            return source
        return {**source, "definition": self._definition(source["definition"])}

    def _definition(self, source: JsonObject) -> JsonObject:
        result = self._with_text(source, self._identity, "name", "description", "extensions")
        if self._identity.in_value(source.get("moreInfo")):
            del result["moreInfo"]
        return result

    def _result(self, source: JsonObject) -> JsonObject:
        known = ("score", "success", "completion", "duration", "extensions")
        return self._with_text({key: source[key] for key in known if key in source}, self._secrets, "extensions")

    def _context(self, source: JsonObject) -> JsonObject:
        known = ("registration", "revision", "platform", "language", "statement", "extensions")
        result = self._with_text({key: source[key] for key in known if key in source}, self._secrets, "extensions")
        for name in ("revision", "platform"):
            if name in result and self._secrets.in_value(result[name]):
                del result[name]
        for name in ("instructor", "team"):
            if name in source:
                result[name] = self._agent(source[name])
        for name, inner in (("contextAgents", "agent"), ("contextGroups", "group")):
            if name in source:
                result[name] = [{**entry, inner: self._agent(entry[inner])} for entry in source[name]]
        if "contextActivities" in source:
            result["contextActivities"] = self._activities(source["contextActivities"])
        return result

    def _activities(self, source: JsonObject) -> JsonObject:
        return {
            role: [self._activity(one) for one in (found if isinstance(found, list) else [found])]
            for role, found in source.items()
        }

    @staticmethod
    def _with_text(source: JsonObject, secrets: "Secrets", *names: str) -> JsonObject:
        """A copy in which the maps `names` have lost the entries that repeat a secret."""
        result = dict(source)
        for name in names:
            if name in source:
                entries = source[name].items()
                result[name] = {key: value for key, value in entries if not secrets.in_value({key: value})}
        return result


def _account(kind: str, name: str) -> JsonObject:
    return {"objectType": kind, "account": {"homePage": HOME_PAGE, "name": name}}


class Secrets:
    """Words of one statement that may not stand in open text."""

    def __init__(self, words: Iterable[str]) -> None:
        self._whole = {word.casefold() for word in words if word}
        self._parts = tuple(word for word in self._whole if len(word) >= _SHORTEST_PART)

    def in_value(self, value: Any) -> bool:
        """Whether a text anywhere in the JSON value (keys too) is or holds a secret, or a number is a long one."""
        return any(text in self._whole or any(part in text for part in self._parts) for text in _texts(value))


def _texts(value: Any) -> Iterator[str]:
    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            stack += one.keys()
            stack += one.values()
        elif isinstance(one, list):
            stack += one
        elif isinstance(one, str):
            yield one.casefold()
        elif isinstance(one, (int, float)) and len(text := str(one)) >= _SHORTEST_PART:
            yield text.casefold()


def _identities_of(statement: JsonObject) -> Iterator[str]:
    for use in agents_of(statement):
        yield from words_of(use.agent)


def words_of(agent: JsonObject) -> Iterator[str]:
    """What tells who an agent is."""
    yield agent.get("name", "")
    yield agent.get("mbox", "")[len("mailto:") :]
    yield agent.get("mbox_sha1sum", "")
    yield agent.get("openid", "")
    yield agent.get("account", {}).get("name", "")


def _responses_of(statement: JsonObject) -> Iterator[str]:
    """Short ones ("a", "3") are no free text, and stand in too much that is not the response."""
    for part in (statement, statement["object"]):
        response = part.get("result", {}).get("response", "")
        if len(response) >= _SHORTEST_PART:
            yield response
