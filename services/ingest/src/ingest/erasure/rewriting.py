"""A statement of others in which someone erased was named."""

from collections.abc import Mapping
from typing import Final

from xapi import agents_of
from xapi.cutting import ERASED_HOME_PAGE, is_erased, with_erased
from xapi.mentions import without_mentions
from xapi.parsing import JsonObject

from ingest.attachments.signatures import is_signature, signatures_of

ERASED_SIGNATURE: Final = f"{ERASED_HOME_PAGE}/signature"
"""The usage of an attachment that was a signature of the statement as it was before."""
_MARK: Final = ERASED_HOME_PAGE.encode()


def rewritten(statement: JsonObject, names: Mapping[str, str]) -> JsonObject:
    """A new statement in which each of these (by canonical identifier) reads as the account of that name.

    What repeats them in open text goes, and signatures are withheld, since they hold the statement as it was.
    """
    return with_erased(without_mentions(unsigned(statement), names.keys()), names)


def unsigned(statement: JsonObject) -> JsonObject:
    """The statement, whose signatures' data is withheld from now on, says so: they are not signatures any more.

    A `fileUrl` that leads nowhere stands in the place of the data, so that other stores still take the statement (1.0.3
    Data 2.4.11).
    """
    if not signatures_of(statement):
        return statement
    withheld = {"usageType": ERASED_SIGNATURE, "fileUrl": ERASED_SIGNATURE}
    attachments = [{**one, **withheld} if is_signature(one) else one for one in statement["attachments"]]
    return {**statement, "attachments": attachments}


def may_be_rewritten(kept: bytes) -> bool:
    """Whether it is worth a look."""
    return _MARK in kept


def as_kept(statement: JsonObject, kept: JsonObject) -> JsonObject:
    """A statement that came again as it would be now: whoever is erased in the kept one does not come back by it."""
    at = {use.path: use.agent["account"]["name"] for use in agents_of(kept) if use.ifi and is_erased(use.ifi)}
    names = {use.ifi: at[use.path] for use in agents_of(statement) if use.ifi is not None and use.path in at}
    return rewritten(statement, names) if names else statement
