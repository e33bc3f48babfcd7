"""Signs the report of each run when it has ended, and again when recipients outside have answered; all are kept.

For each recipient there is a notice too, which says nothing of the others (GDPR 19).
"""

from datetime import datetime
from typing import Any, Final

from service_kit.mongo import Session, in_transaction
from service_kit.turning import Turning
from uuid_utils.compat import uuid7

from privacy.certificates.jws import signed
from privacy.certificates.wording import CONTEXT, moment, recipient_said, without_nothing
from privacy.requests.progress import Recipient
from privacy.retention.rules import Rule
from privacy.retention.runs import Run
from privacy.state import State

REST_SECONDS: Final = 1.0
AT_ONCE: Final = 20
KIND: Final = "ld+json"
SAYS: Final = (
    "Statements that you were given are no longer kept here, or lead to nobody any more. Where no purpose and no "
    "period of your own asks you to keep them, delete them too (GDPR 5(1)(e), 19)."
)


class Reporting:
    """The worker's job."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.run = Turning("retention reports", self.turn, rest_seconds=REST_SECONDS).run

    async def turn(self) -> bool:
        due = await self._state.runs.to_sign(AT_ONCE)
        for run, mark in due:
            await self._sign(run, mark)
        return len(due) == AT_ONCE

    async def _sign(self, run: Run, mark: str) -> None:
        signer, now = await self._state.signing.signer(), self._state.clock()
        said = {run.id: report(run, now)} | {notice_id(run, one): notice(run, one, now) for one in run.recipients}
        issued = [(key, str(one["@id"]), signed(one, signer, KIND)) for key, one in said.items()]

        async def keep(session: Session) -> None:
            if await self._state.runs.signed(run.id, mark, session):
                for key, number, jws in issued:
                    await self._state.certificates.add(run.tenant, key, number, now, jws, None, session)

        await in_transaction(self._state.client, keep)


def notice_id(run: Run, recipient: Recipient) -> str:
    """Under which the notice for a recipient is kept."""
    return f"{run.id}/{[(one.name, one.purpose) for one in run.recipients].index((recipient.name, recipient.purpose))}"


def report(run: Run, now: datetime) -> dict[str, Any]:
    """What was taken, what was left and why, and who outside has it yet. It names no learner."""
    return without_nothing(
        _head(run, now, "dpv:RecordsOfActivities")
        | {
            "rule": run.rule.id,
            "rule_version": run.rule.version,
            "name": run.rule.name,
            "status": run.status.value,
            "started_at": moment(run.started_at),
            "started_by": run.started_by,
            "completed_at": moment(run.completed_at),
            "counts": {name: dict(one) for name, one in sorted(run.totals.counts.items())},
            "kept": {name: dict(one) for name, one in sorted(run.totals.kept.items())},
            "dpv:hasRecipient": [recipient_said(one) for one in run.recipients],
        }
    )


def notice(run: Run, recipient: Recipient, now: datetime) -> dict[str, Any]:
    """For one recipient alone."""
    head = _head(run, now, "dpv:Notice")
    return without_nothing(head | {"dpv:hasRecipient": recipient_said(recipient), "says": SAYS})


def _head(run: Run, now: datetime, kind: str) -> dict[str, Any]:
    return {
        "@context": CONTEXT,
        "@id": f"urn:uuid:{uuid7()}",
        "@type": kind,
        "dct:issued": moment(now),
        "dct:subject": f"urn:uuid:{run.id}",
        "tenant": run.tenant,
        "run": run.id,
        "as_of": moment(run.as_of),
        "action": run.rule.action.value,
        "reason": run.rule.reason,
        "clauses": list(run.clauses),
        "records": _records(run.rule),
    }


def _records(rule: Rule) -> dict[str, Any]:
    """Which records the rule takes."""
    lists = {"verbs": rule.verbs, "activity_types": rule.activity_types, "tags": rule.tags}
    ages = {
        "stored_for": rule.stored_for,
        "inactive_for": rule.inactive_for,
        "after_course_end": rule.after_course_end,
    }
    return without_nothing({name: list(one) for name, one in lists.items()} | ages)
