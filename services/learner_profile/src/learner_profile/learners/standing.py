"""What a learner's standing lets be done with evidence, and who is one person."""

from typing import Final

from events.payloads import ConsentStatus
from service_kit.consent import Standing

PURPOSE: Final = "profile"
RECORD: Final = "record"


def keeps_rows(standing: Standing) -> bool:
    """Whether rows of evidence may be kept: objection and restriction stop their use, a withdrawal removes them."""
    if standing.erased:
        return False
    return standing.unrestricted().allows(PURPOSE) or standing.status(PURPOSE) is ConsentStatus.objected


def everyone(learner: str, standing: Standing) -> tuple[str, ...]:
    """The learners who are one person with this one, first the one under whom the profile is kept."""
    return standing.group.everyone if standing.group is not None else (learner,)


def takes_rows(standing: Standing) -> bool:
    """Whether statements that come may become evidence. Who has withdrawn `record`, or objects to it, keeps what there
    is (GDPR 7(3): what was done before stays lawful), and nothing more is made of what was recorded before and is yet
    on its way: from the moment of the effect on the state stands still. It lies in ingest until `record` is allowed
    again, and is published once more then.
    """
    return standing.status(RECORD) not in (ConsentStatus.withdrawn, ConsentStatus.objected)
