"""Valid lines to the recorder: what it refuses is set apart, the rest is stored."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from service_kit import metrics
from service_kit.problems import Conflict, Forbidden
from xapi import Version

from ingest.attachments.repository import Attachments
from ingest.credentials.authority import account_of_key
from ingest.credentials.credential import Credential
from ingest.credentials.schemas import Scope
from ingest.imports import lines
from ingest.imports.lines import Line
from ingest.imports.receiving import Received
from ingest.imports.schemas import Rejected, Taken
from ingest.statements.recording import Recorder

IMPORTS: Final = "imports"
"""The name under which imported statements are vouched for: the operator's, not any credential's."""

_allowances = metrics.counter(metrics.EMITTER_ALLOWANCES)


async def take(received: Received, tenant: str, *, recorder: Recorder) -> Taken:
    """Store what can be stored; repeatable. Raises `PolicyUnknown`."""
    valid, rejected, repeated = lines.read(received.lines)
    taken = await record_runs(recorder, importing(tenant), valid, received.attachments)
    taken.accepted += repeated
    taken.rejected = sorted([*rejected, *taken.rejected], key=lambda one: one.line)
    return taken


async def record_runs(
    recorder: Recorder,
    credential: Credential,
    valid: Sequence[Line],
    attachments: Attachments | None,
    *,
    imported_from: str | None = None,
) -> Taken:
    """Store valid lines; what is refused is set apart. Repeatable. Raises `PolicyUnknown`."""
    taken = Taken(accepted=0, not_recorded=0, rejected=[])
    for version, run in lines.by_version(valid):
        await _record(recorder, credential, version, run, attachments, taken, imported_from)
    return taken


async def _record(
    recorder: Recorder,
    credential: Credential,
    version: Version,
    run: Sequence[Line],
    attachments: Attachments | None,
    taken: Taken,
    imported_from: str | None,
) -> None:
    pending = list(run)
    while pending:
        batch = [line.parsed for line in pending]
        try:
            recorded = await recorder.record(
                credential,
                version,
                batch,
                is_array=True,
                provenance=True,
                attachments=attachments,
                imported_from=imported_from,
            )
        except (Conflict, Forbidden) as problem:
            wrong = {int(error["index"]): error for error in reversed(problem.errors) if "index" in error}
            if not wrong:
                raise
            taken.rejected += [_rejected(pending[index], index, error) for index, error in wrong.items()]
            pending = [line for index, line in enumerate(pending) if index not in wrong]
        else:
            taken.accepted += len(pending) - recorded.not_recorded
            taken.not_recorded += recorded.not_recorded
            _count(pending)
            return


def _count(lines: Sequence[Line]) -> None:
    for allowance, count in Counter(used for line in lines for used in line.allowances).items():
        _allowances.add(count, {"profile": IMPORTS, "allowance": allowance.value})


def _rejected(line: Line, index: int, error: object) -> Rejected:
    found = error if isinstance(error, dict) else {}
    pointer = str(found.get("pointer", "")).removeprefix(f"/{index}")
    return Rejected(line=line.number, pointer=pointer, detail=str(found.get("detail", "")))


def importing(tenant: str) -> Credential:
    """Imports need no xAPI credential; the authority of what they store names them."""
    return Credential(IMPORTS, tenant, frozenset({Scope.all}), account_of_key(IMPORTS))
