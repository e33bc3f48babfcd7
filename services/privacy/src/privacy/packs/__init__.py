"""Policy packs: what the law of a tenant's place asks for, as data, every rule with its clause. Pure.

This is software, not legal advice: a pack says how Trellis behaves, a lawyer says whether that is enough.
"""

from typing import Final

from privacy.packs.eu_school import EU_SCHOOL
from privacy.packs.open import OPEN
from privacy.packs.pack import Clause, Deadline, Giver, Ground, Pack, Right
from privacy.packs.us_k12 import US_K12

__all__ = ["PACKS", "Clause", "Deadline", "Giver", "Ground", "Pack", "Right", "pack_named"]

PACKS: Final = {pack.name: pack for pack in (EU_SCHOOL, US_K12, OPEN)}


def pack_named(name: str) -> Pack:
    """Raises `KeyError`; a stored policy names a known one."""
    return PACKS[name]
