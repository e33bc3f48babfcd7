"""A learner's open model as a JSON-LD document to take along. Plain functions.

JSON-LD 1.1: every `id` is the IRI of a competency, those that are none are read beside `COMPETENCIES`, and times are
xsd:dateTime, so that a processor gets from it what a reader does.
"""

from typing import Any, Final

from learner_profile.learners.schemas import LearnerOut

VOCABULARY: Final = "https://trellis.invalid/terms#"
COMPETENCIES: Final = "https://trellis.invalid/competencies/"
_TIMES: Final = ("as_of", "at", "due_at", "first_at", "last_at", "last_seen")
CONTEXT: Final[dict[str, Any]] = {
    "@version": 1.1,
    "@vocab": VOCABULARY,
    "@base": COMPETENCIES,
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "id": {"@id": f"{VOCABULARY}competency", "@type": "@id"},
    "learner": {"@id": f"{VOCABULARY}learner", "@type": "@id"},
} | {time: {"@id": f"{VOCABULARY}{time}", "@type": "xsd:dateTime"} for time in _TIMES}


def document(model: LearnerOut) -> dict[str, Any]:
    """The model, without who the teachers are that said something: that is theirs."""
    said: dict[str, Any] = _without_teachers(model.model_dump(mode="json"))
    return {"@context": CONTEXT, "@type": "LearnerState", "learner": f"urn:uuid:{model.learner_id}"} | said


def _without_teachers(said: Any) -> Any:
    """`teacher` is the word of one where it is an object, and the `sub` of one where it is a text."""
    if isinstance(said, list):
        return [_without_teachers(one) for one in said]
    if not isinstance(said, dict):
        return said
    kept = ((name, one) for name, one in said.items() if name != "teacher" or not isinstance(one, str))
    return {name: _without_teachers(one) for name, one in kept}
