"""What is taken from each emitter beyond the standard, as data.

`strict` is what the standard says, wholly or not at all. Under every other profile a batch may be stored in part (see
`batches`), and each allowance that is used is counted by the metric `trellis.ingest.emitters.allowances`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from xapi import Allowance

from ingest.credentials.profiles import Profile


@dataclass(frozen=True, slots=True)
class Ways:
    """One emitter's ways.

    `partial`: the good statements of a batch are stored, the others go to the quarantine. `repeats`: a statement
    without an id is recognised when it comes again within a day; only for emitters whose statements carry a time, since
    two acts that read alike to the last character would be taken for one.
    """

    emitter: str
    allowances: frozenset[Allowance] = frozenset()
    partial: bool = True
    repeats: bool = False
    quirks: tuple[str, ...] = ()


WAYS: Final[Mapping[Profile, Ways]] = {
    Profile.strict: Ways("anything that follows the standard", partial=False),
    Profile.moodle: Ways(
        "Moodle, plugin logstore_xapi",
        allowances=frozenset({Allowance.flat_score, Allowance.interaction_type}),
        repeats=True,
        quirks=(
            "sends no ids, and sends a batch again whose answer was lost",
            "halves a batch after 400 alone; after any other error the whole batch waits as failed",
            "scaled runs from -1 to 1 between min and max; raw, min and max are what is read",
            "an item without points has a score whose min and max are 0",
        ),
    ),
    Profile.open_edx: Ways(
        "Open edX, event-routing-backends",
        allowances=frozenset({Allowance.group_activity, Allowance.flat_score}),
        quirks=(
            "a problem with several questions is a GroupActivity, and the parent of its questions",
            "the id is made of verb, actor and time: what is transformed anew differs and has the same id",
            "after a batch 409 nothing is sent again",
            "a problem without points has a score whose min and max are 0",
        ),
    ),
    Profile.h5p: Ways(
        "H5P, in whatever page forwards its statements",
        allowances=frozenset({Allowance.interaction_type, Allowance.flat_score}),
        quirks=(
            "content made of several questions says interactionType compound, Mark the Words long-choice",
            "sends neither id nor timestamp: whoever forwards the statements should add both",
            "without a signed-in user the actor is a random name kept in the browser",
        ),
    ),
    Profile.cmi5: Ways("cmi5 assignable units and the LMS that launches them"),
    Profile.video: Ways("players that follow the video profile"),
}


def ways_of(profile: Profile) -> Ways:
    return WAYS[profile]
