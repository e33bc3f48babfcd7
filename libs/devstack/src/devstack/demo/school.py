"""The simulated school district: who is in which class, and where they live."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any, Final

from devstack.latency import HOME_PAGE, account

_COLUMNS: Final = (
    "account_home_page",
    "account_name",
    "role",
    "display_name",
    "class",
    "school",
    "district",
    "region",
    "attributes",
)
# Class, school, district, region, pupils. One class is under the size of which reports speak.
_CLASSES: Final = (
    ("5a", "Hill School", "Riverside", "North", 14),
    ("5b", "Hill School", "Riverside", "North", 13),
    ("5c", "Mill School", "Riverside", "North", 12),
    ("6a", "Lake School", "Lakeland", "South", 12),
    ("6b", "Lake School", "Lakeland", "South", 9),
)
_NAMES: Final = (
    "Amina Ben Jonas Mei Lucas Zara Emil Noor Tom Ada Ravi Lena Omar Ivy Kofi Nina Hugo Sana Leo Yuki "
    "Paul Rosa Idris Ella Max Tara Finn Aisha Karl Lin Sam Vera Jamal Anna Otto Priya Niko Maya Ali Greta "
    "Juan Hana Theo Leila Erik Dina Milo Asha Felix Mara Yusuf Clara Ivan Bela Luis Inga Amir Nora Raj Elif"
)


@dataclass(frozen=True)
class Pupil:
    """One of the class. `home` is the attribute whose groups the reports compare."""

    number: int
    name: str
    classroom: tuple[str, str, str, str]
    home: str

    @property
    def account_name(self) -> str:
        return f"pupil-{self.number:03}"

    @property
    def actor(self) -> dict[str, Any]:
        return account(self.account_name)


def pupils() -> list[Pupil]:
    """All sixty, class by class; two in five live in the country."""
    classrooms = [(name, school, district, region) for name, school, district, region, n in _CLASSES for _ in range(n)]
    return [
        Pupil(number, name, classroom, "country" if number % 5 in (1, 3) else "town")
        for number, (name, classroom) in enumerate(zip(_NAMES.split(), classrooms, strict=True))
    ]


def roster(members: list[Pupil]) -> bytes:
    """The roster as CSV: every pupil, and a teacher for each class."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for pupil in members:
        rows.writerow([HOME_PAGE, pupil.account_name, "learner", pupil.name, *pupil.classroom, f"home={pupil.home}"])
    for *classroom, _ in _CLASSES:
        rows.writerow([HOME_PAGE, f"teacher-{classroom[0]}", "teacher", f"Teacher of {classroom[0]}", *classroom, ""])
    return text.getvalue().encode()
