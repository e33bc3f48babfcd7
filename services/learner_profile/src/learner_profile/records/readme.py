"""The first page of a record, for whoever opens it."""

from typing import Final

README: Final = "README.txt"
_TEXT: Final = """A learner's record

statements.jsonl   what was done, one xAPI statement a line; other people in them read as "someone-else"
{state}record.jwt         the list of all files with their SHA-256, signed by who made this record

record.jwt and everything in credentials/ are JSON Web Tokens. Their header names the public key with which anyone can
check them. Keep the file as it is: with one byte changed it is not signed any more.
"""
_STATE: Final = """state.jsonld       what was worked out from it: competencies, interests, pace (JSON-LD)
credentials/       competencies mastered, each as an Open Badges 3.0 credential, and all as one (CLR 2.0)
"""


def readme(with_state: bool) -> bytes:
    return _TEXT.format(state=_STATE if with_state else "").encode()
