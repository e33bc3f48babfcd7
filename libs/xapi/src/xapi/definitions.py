"""What several statements say of one activity, as one definition (1.0.3 Data 2.4.4.1; Communication 2.5)."""

from typing import Any, Final

from .parsing import JsonObject

_MAPS: Final = frozenset({"name", "description", "extensions"})
_COMPONENTS: Final = frozenset({"choices", "scale", "source", "target", "steps"})
_INTERACTION: Final = _COMPONENTS | {"interactionType", "correctResponsesPattern"}


def merge_definition(known: JsonObject, newer: JsonObject) -> JsonObject:
    """A new definition: all that is known, and where both say something, what is newer.

    Languages, extensions and the languages of components with the same id are put together. An interaction of another
    type takes the place of all that was known of the old one, since the two parts would not fit.
    """
    result = dict(known)
    if newer.get("interactionType", known.get("interactionType")) != known.get("interactionType"):
        result = {name: value for name, value in known.items() if name not in _INTERACTION}
    for name, value in newer.items():
        if name in _MAPS:
            result[name] = {**result.get(name, {}), **value}
        elif name in _COMPONENTS:
            result[name] = _components(result.get(name, []), value)
        else:
            result[name] = value
    return result


def _components(known: list[JsonObject], newer: list[JsonObject]) -> list[JsonObject]:
    """The newer list; a component known before keeps its other languages."""
    before = {one["id"]: one for one in known}
    return [_component(before.get(one["id"], {}), one) for one in newer]


def _component(known: JsonObject, newer: JsonObject) -> JsonObject:
    result: dict[str, Any] = {**known, **newer}
    if "description" in known and "description" in newer:
        result["description"] = {**known["description"], **newer["description"]}
    return result
