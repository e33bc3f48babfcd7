"""What a report about an emitter means, in plain words for whoever looks after the LMS. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Report = Mapping[str, Any]

_AHEAD_SECONDS = 60
_LATE_SECONDS = 24 * 3600


class Verdict(StrEnum):
    right = "right"
    note = "note"
    wrong = "wrong"


@dataclass(frozen=True, slots=True)
class Line:
    verdict: Verdict
    text: str


def advice(report: Report) -> list[Line]:
    """What is right, what is wrong, and what to change."""
    if report["requests"] == 0:
        return [_wrong(_NOTHING_CAME)]
    checks = (_outcome, _refusals, _identifiers, _ids, _times, _scores, _registrations, _allowances)
    return [line for check in checks for line in check(report)]


_NOTHING_CAME = (
    "Nothing came. Is the endpoint the one that ends in /xapi, and do key and secret belong together? Does the LMS "
    "send in the background? Then wait for its next run, or start it. A wrong secret meets 401 in the LMS's own log."
)
_HINTS: tuple[tuple[str, str, str], ...] = (
    ("objectType", "GroupActivity", "Open edX sends this; give the credential the profile open-edx"),
    ("interactionType", "", "H5P sends types of its own; give the credential the profile h5p"),
    ("score", "min is less than max", "an item without points; the profiles moodle, open-edx and h5p take it"),
    ("mbox", "", "an mbox is `mailto:` and one address; is the address of some users empty in the LMS?"),
    ("homePage", "", "the home page of accounts is an address with https://; look at the LMS's own address setting"),
    ("timestamp", "", "a timestamp is an ISO 8601 time with a time zone"),
    ("version", "", "choose xAPI 1.0.3 in the LMS"),
)


def _outcome(report: Report) -> Iterator[Line]:
    total = report["statements"]
    if report["stored"]:
        yield Line(Verdict.right, f"{report['stored']} statements in {report['requests']} requests are stored.")
    if report["not_recorded"]:
        yield Line(
            Verdict.note,
            f"{report['not_recorded']} are about learners who do not allow recording; they are not kept.",
        )
    if report["quarantined"]:
        yield _wrong(
            f"{report['quarantined']} were refused and wait in quarantine, the rest of their batches is stored: "
            "`trellis quarantine list`."
        )
    if report["refused_requests"]:
        yield _wrong(f"{report['refused_requests']} of {report['requests']} requests were refused whole.")
    if total and report["verbs"]:
        verbs = ", ".join(f"{one['name'].rsplit('/', 1)[-1]} ({one['count']})" for one in report["verbs"][:8])
        yield Line(Verdict.note, f"Verbs: {verbs}.")


def _refusals(report: Report) -> Iterator[Line]:
    for one in report["refused"]:
        hint = next((hint for place, word, hint in _HINTS if place in one["name"] and word in one["name"]), None)
        yield _wrong(f"{one['count']} × {one['name']}" + (f" — {hint}." if hint else ""))


def _identifiers(report: Report) -> Iterator[Line]:
    kinds, pages = _names(report, "actors"), _names(report, "home_pages")
    if len(kinds) > 1:
        yield _wrong(
            f"Learners are named in {len(kinds)} ways ({', '.join(kinds)}): whoever comes under two of them is two "
            "learners here. Choose one in the LMS, for all."
        )
    elif kinds == ["mbox"]:
        yield Line(
            Verdict.note,
            "Learners are named by e-mail address. An address that changes makes a new learner; an account does not.",
        )
    elif kinds:
        yield Line(Verdict.right, f"All learners are named by {kinds[0]}.")
    if len(pages) > 1:
        yield _wrong(
            f"Accounts have {len(pages)} home pages ({', '.join(pages[:3])}): the same name under two of them is two "
            "learners. Set one home page in the LMS."
        )
    elif pages:
        yield Line(
            Verdict.right, f"Accounts are those of {pages[0]}. Every tool that names the same learners must say so."
        )


def _ids(report: Report) -> Iterator[Line]:
    missing = report["without_id"]
    if not missing:
        if report["statements"]:
            yield Line(Verdict.right, "Every statement has an id: what is sent twice is stored once.")
    elif report["profile"] == "moodle":
        yield Line(Verdict.right, f"{missing} statements have no id; what comes again within a day is recognised.")
    else:
        yield _wrong(
            f"{missing} statements have no id: a batch that is sent again is stored twice. Have the sender make ids; "
            "for Moodle's logstore_xapi give the credential the profile moodle."
        )


def _times(report: Report) -> Iterator[Line]:
    if report["without_timestamp"]:
        yield _wrong(
            f"{report['without_timestamp']} statements have no timestamp: they count as done when they arrive. Have "
            "the sender add the time."
        )
    if report["newest_seconds"] < -_AHEAD_SECONDS:
        yield _wrong(
            f"Timestamps lie up to {-report['newest_seconds']:.0f} s in the future: the sender's clock or time zone is "
            "wrong. They count as of their arrival."
        )
    if report["oldest_seconds"] > _LATE_SECONDS:
        days = report["oldest_seconds"] / _LATE_SECONDS
        yield Line(
            Verdict.note, f"The oldest statement is of {days:.1f} days ago: a history, or a queue that was stuck."
        )


def _scores(report: Report) -> Iterator[Line]:
    shapes = {one["name"]: one["count"] for one in report["scores"]}
    mute = sum(count for shape, count in shapes.items() if "scaled" not in shape and shape != "raw+min+max")
    if mute:
        yield _wrong(
            f"{mute} scores have neither scaled nor raw with min and max: nothing says what share was reached."
        )
    if report["scaled_differs"]:
        yield Line(
            Verdict.note,
            f"In {report['scaled_differs']} scores scaled is not the share of raw between min and max (Moodle's runs "
            "from -1 to 1); raw, min and max are what is read.",
        )


def _registrations(report: Report) -> Iterator[Line]:
    if report["profile"] == "cmi5" and report["without_registration"]:
        yield _wrong(f"{report['without_registration']} statements have no registration, which cmi5 demands.")


def _allowances(report: Report) -> Iterator[Line]:
    for one in report["allowances"]:
        yield Line(Verdict.note, f"{one['count']} statements were taken beyond the standard: {one['name']}.")


def _names(report: Report, name: str) -> list[str]:
    return [str(one["name"]) for one in report[name]]


def _wrong(text: str) -> Line:
    return Line(Verdict.wrong, text)
