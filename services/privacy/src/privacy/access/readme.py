"""The README of an archive, for whoever opens it: a pupil, a parent. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from service_kit.archives import MANIFEST, Entry

# What each file holds, in plain words.
WORDS: Final = {
    "ingest/identifiers.jsonl": "The accounts and addresses by which you were known, and the names seen with them.",
    "ingest/statements.jsonl": "Everything you did that was recorded: one line each, in the xAPI format.",
    "ingest/documents.jsonl": "Notes that learning programs keep on where you stopped; the notes are in documents/.",
    "ingest/attachments.jsonl": "Files that came with what you did; the files themselves are in attachments/.",
    "ingest/launches.jsonl": "Activities that were started for you and may still be running.",
    "ingest/quarantine.jsonl": "Records that were not accepted because something in them was wrong.",
    "ingest/disclosures.jsonl": "To whom outside records of yours were given, for what purpose, and when.",
    "learner_profile/profile.jsonl": "What the system thinks you know, like and need, worked out from your records.",
    "learner_profile/evidence.jsonl": "Each piece of evidence behind that picture.",
    "learner_profile/estimate.jsonl": "What your teachers said of what you know, in the place of that picture.",
    "learner_profile/role.jsonl": "What the school's list says you are, and where you belong.",
    "recommendation/copy_of_profile.jsonl": "The copy of that picture that is used to choose what comes next.",
    "recommendation/recommendations.jsonl": "What would be suggested to you now, and why.",
    "insights/roster.jsonl": "Your classes and schools, and what the school noted of you there.",
    "insights/state.jsonl": "The copy of your picture that your teachers' reports are made from.",
    "privacy/consents.jsonl": "What you allow and what you do not, now.",
    "privacy/consent_history.jsonl": "Every decision you took, with its date.",
    "privacy/consent_records.jsonl": "The full records of your decisions.",
    "privacy/guardians.jsonl": "Who may act for you.",
    "privacy/requests.jsonl": "What you asked us for, and what came of it.",
    "privacy/statements_beside.jsonl": "What you had placed beside a record that was not changed.",
    "privacy/audit.jsonl": "Who saw, changed or gave away something of yours, and on what ground.",
}


def readme(entries: Sequence[Entry], kind: str, made_at: datetime) -> bytes:
    lines = [
        "YOUR DATA" if kind == "access" else "YOUR DATA, TO TAKE WITH YOU",
        "",
        f"This was put together on {made_at:%d %B %Y}. It holds "
        + (
            "everything that this learning system keeps about you."
            if kind == "access"
            else "what you did here, in a form that other learning systems can read."
        ),
        "",
        "How to read it: each file that ends in .jsonl is plain text, one thing on each line; any editor opens it.",
        "Other people who appear in your records are shown without their names: their privacy counts too.",
        "",
        "What is in it:",
        "",
    ]
    for entry in entries:
        if entry.records is not None:
            noun = "line" if entry.records == 1 else "lines"
            lines.append(f"  {entry.name} ({entry.records} {noun})")
            lines.append(f"      {WORDS.get(entry.name, 'Further data that is kept about you.')}")
    files = sum(entry.records is None for entry in entries)
    if files:
        lines.append(f"  and {files} files of your own, in the folders documents and attachments.")
    lines += [
        "",
        f"{MANIFEST} lists every file with a fingerprint (SHA-256), so that a change would show.",
        "",
        "If something in it is wrong you can ask to have it put right; you can ask to have it erased, or object to its",
        "use. Ask your school's data protection officer, or use the page on which you asked for this.",
        "Keep it safe: whoever has this file can read it all.",
        "",
    ]
    return "\r\n".join(lines).encode()
