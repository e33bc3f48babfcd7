"""Open text in a statement that repeats who somebody is: what an erasure finds beyond the agents themselves.

By the rule by which such text stays out of the Kafka form, and in the same places, so that a statement goes onto Kafka
after the erasure as it did before; and in what never goes there, responses and attachments' texts.
"""

from collections.abc import Set as AbstractSet

from .exact import JsonObject
from .identifiers import ACTIVITY_TYPES, agents_of
from .pseudonymise import Secrets, words_of


def without_mentions(statement: JsonObject, who: AbstractSet[str]) -> JsonObject:
    """A new statement without open text that repeats a name or identifier of the agents `who` (canonical identifiers).

    The agents themselves stay; whatever repeats nothing stays as it is.
    """
    words = [word for use in agents_of(statement) if use.ifi in who for word in words_of(use.agent)]
    return _part(statement, Secrets(words))


def _part(part: JsonObject, words: Secrets) -> JsonObject:
    """A statement or SubStatement."""
    result = {**part, "verb": _texts(part["verb"], words, "display"), "object": _object(part["object"], words)}
    if "result" in part:
        result["result"] = _texts(_words(part["result"], words, "response"), words, "extensions")
    if "context" in part:
        result["context"] = _context(part["context"], words)
    if "attachments" in part:
        result["attachments"] = [_texts(one, words, "display", "description") for one in part["attachments"]]
    return result


def _object(value: JsonObject, words: Secrets) -> JsonObject:
    kind = value.get("objectType", "Activity")
    if kind == "SubStatement":
        return _part(value, words)
    return _activity(value, words) if kind in ACTIVITY_TYPES else value


def _activity(activity: JsonObject, words: Secrets) -> JsonObject:
    if "definition" not in activity:
        return activity
    definition = _words(activity["definition"], words, "moreInfo")
    return {**activity, "definition": _texts(definition, words, "name", "description", "extensions")}


def _context(context: JsonObject, words: Secrets) -> JsonObject:
    result = _texts(_words(context, words, "revision", "platform"), words, "extensions")
    if "contextActivities" in context:
        result["contextActivities"] = {
            role: [_activity(one, words) for one in found] if isinstance(found, list) else _activity(found, words)
            for role, found in context["contextActivities"].items()
        }
    return result


def _texts(source: JsonObject, words: Secrets, *names: str) -> JsonObject:
    """A copy in which the maps `names` have lost the entries that repeat a word."""
    result = dict(source)
    for name in names:
        if name in source:
            entries = source[name].items()
            result[name] = {key: value for key, value in entries if not words.in_value({key: value})}
    return result


def _words(source: JsonObject, words: Secrets, *names: str) -> JsonObject:
    """A copy without those of the properties that repeat a word."""
    return {key: value for key, value in source.items() if key not in names or not words.in_value(value)}
