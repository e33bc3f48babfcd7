"""What a verb says about learning, for the verbs that LMSs and players send.

- response (answered, scored, passed, mastered, failed, problem_check, …): moves mastery, where a score, a success or
  the verb itself says how right it was;
- completion (completed, submitted, finished, turned-in, …): done; moves mastery only with a score or a success;
- exposure (experienced, attempted, initialized, terminated, viewed, played, …): seen: interest, pace, what is recent;
- leave (waived): done, by a decision and not by an answer: its success says nothing of what the learner knows;
- grade (earned): a running total that Open edX sends of a section and of the course after every answer: kept as a
  summary, since its answers counted;
- opinion (rated, liked, voted, progressed, …): seen; a score there is an opinion or a progress, never how right an
  answer was.

passed and mastered say "right", failed says "wrong", where there is neither score nor success. A verb that is not
listed is read from its result: a score or a success makes it a response, `completion` a completion, else it is
an exposure.

IRIs: ADL vocabulary (http://adlnet.gov/expapi/verbs/), cmi5 (https://w3id.org/xapi/adl/verbs/), the video profile
(https://w3id.org/xapi/video/verbs/), TinCan registry (http://id.tincanapi.com/verb/), Open edX
(https://w3id.org/xapi/acrossx/verbs/, https://w3id.org/xapi/openedx/verb/…), Activity Streams
(http://activitystrea.ms/schema/1.0/ and others), as used by Moodle's logstore_xapi, H5P, Articulate and
event-routing-backends. The last part of the IRI decides: these vocabularies use the same words in the same sense.
"""

from dataclasses import dataclass
from functools import lru_cache

from learner_model import EvidenceKind


@dataclass(frozen=True, slots=True)
class VerbRule:
    """How a verb is read. `implies`: the correctness it says by itself; `opinion`: its score says nothing of that."""

    kind: EvidenceKind
    implies: float | None = None
    opinion: bool = False


_RESPONSE = VerbRule(EvidenceKind.RESPONSE)
_RIGHT = VerbRule(EvidenceKind.RESPONSE, implies=1.0)
_WRONG = VerbRule(EvidenceKind.RESPONSE, implies=0.0)
_COMPLETION = VerbRule(EvidenceKind.COMPLETION)
_LEAVE = VerbRule(EvidenceKind.COMPLETION, opinion=True)
_EXPOSURE = VerbRule(EvidenceKind.EXPOSURE)
_OPINION = VerbRule(EvidenceKind.EXPOSURE, opinion=True)
_GRADE = VerbRule(EvidenceKind.SUMMARY)

_WORDS = {
    _RESPONSE: "answered scored responded evaluated problem_check graded earned_score",
    _RIGHT: "passed mastered",
    _WRONG: "failed",
    _GRADE: "earned",
    _COMPLETION: "completed complete submitted submit finished turned-in turnedin uploaded certified",
    _LEAVE: "waived",
    _EXPOSURE: (
        "experienced attempted initialized initialised terminated suspended resumed launched satisfied abandoned"
        " viewed read watched watch listened played play paused seeked consumed accessed opened closed started start"
        " stopped interacted navigated-in loggedin logged-in loggedout logged-out registered unregistered enrolled"
        " joined left exited downloaded searched focused unfocused requested asked skipped bookmarked shared created"
        " authored updated posted replied commented mentioned enabled disabled found"
    ),
    _OPINION: "rated voted liked unliked disliked preferred reviewed upvoted downvoted progressed selected tagged",
}
_RULES = {word: rule for rule, words in _WORDS.items() for word in words.split()}

VOIDED = "voided"
_TOTALS = frozenset({"completed", "passed", "failed", "mastered"})


@lru_cache(maxsize=4096)
def word_of(iri: str) -> str:
    """The last part of an IRI, in lower case: `http://adlnet.gov/expapi/verbs/answered` → `answered`."""
    return iri.rstrip("/#").replace("#", "/").rsplit("/", 1)[-1].lower()


def rule_of(verb_id: str) -> VerbRule | None:
    """How the verb is read; None where it is not known."""
    return _RULES.get(word_of(verb_id))


def is_completed(verb_id: str) -> bool:
    """Whether the verb says that something is over: its marks are those that another verb may have told already."""
    return word_of(verb_id) == "completed"


def may_sum_up(verb_id: str) -> bool:
    """Whether the verb can state a total of what other statements said one by one."""
    return word_of(verb_id) in _TOTALS
