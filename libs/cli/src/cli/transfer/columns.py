"""A line of an export as a row of columns."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import xapi
from xapi import durations, timestamps

Row = dict[str, Any]


def row_of(line: bytes) -> Row:
    """The columns of `COLUMNS`; what a statement lacks is None, and what has no fitting value too."""
    found = xapi.loads(line)
    statement, provenance = found["statement"], found.get("provenance", {})
    target, result = statement["object"], statement.get("result", {})
    return {
        "id": statement["id"].lower(),
        "stored": _moment(found["stored"]),
        "timestamp": _moment(statement.get("timestamp")),
        "verb": statement["verb"]["id"],
        "object_type": target.get("objectType", "Activity"),
        "activity": target["id"] if target.get("objectType", "Activity") == "Activity" else None,
        **_actor(statement["actor"]),
        "registration": statement.get("context", {}).get("registration"),
        "success": result.get("success"),
        "completion": result.get("completion"),
        **_scores(result.get("score", {})),
        "duration_seconds": _seconds(result.get("duration")),
        "voided": found.get("voided", False),
        "statement": xapi.dumps(statement).decode(),
        "original_stored": _moment(provenance.get("stored")),
        "original_authority": _json(provenance.get("authority")),
    }


def _actor(actor: dict[str, Any]) -> Row:
    account = actor.get("account", {})
    return {
        "actor_type": actor.get("objectType", "Agent"),
        "actor_mbox": actor.get("mbox"),
        "actor_mbox_sha1sum": actor.get("mbox_sha1sum"),
        "actor_openid": actor.get("openid"),
        "actor_account_home_page": account.get("homePage"),
        "actor_account_name": account.get("name"),
    }


def _scores(score: dict[str, Any]) -> Row:
    return {f"score_{name}": _float(score.get(name)) for name in ("scaled", "raw", "min", "max")}


def _float(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except OverflowError:
        return None


def _seconds(duration: Any) -> float | None:
    try:
        return None if duration is None else durations.seconds(duration)
    except ValueError:
        return None


def _moment(text: Any) -> datetime | None:
    try:
        return None if text is None else timestamps.parse(text)
    except ValueError:
        return None


def _json(value: Any) -> str | None:
    return None if value is None else xapi.dumps(value).decode()
