"""Answers with groups: columns of the file itself, the Open University's data, or learners that are made up."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from cli.evaluation.errors import UnreadableAnswers
from cli.evaluation.fairness import Groups
from cli.evaluation.reading import opened
from cli.oulad.dataset import load
from cli.oulad.errors import ImportStopped

OULAD_ATTRIBUTES: Final = ("gender", "age_band", "disability", "deprivation_band", "highest_education", "region")
SIMULATED: Final = ("group",)
HEAD: Final = ("learner", "item", "skills", "correct", "timestamp_or_order")
DAY_SECONDS: Final = 86_400


def groups_in(path: Path, attributes: Sequence[str]) -> list[Groups]:
    """The groups of the file's learners, in the order in which `reading.read` numbers them; by the first row of each.

    Raises `UnreadableAnswers`.
    """
    first: dict[str, Mapping[str, str | None]] = {}
    with opened(path) as file:
        rows = csv.DictReader(file)
        lacking = [name for name in attributes if name not in (rows.fieldnames or [])]
        if lacking:
            raise UnreadableAnswers(f"{path}: no column {', '.join(lacking)}")
        for row in rows:
            first.setdefault(str(row["learner"]), row)
    return [_groups(name, [row.get(name) or "" for row in first.values()]) for name in attributes]


def _groups(attribute: str, values: Sequence[str]) -> Groups:
    names = sorted({value for value in values if value})
    number = {name: place for place, name in enumerate(names)}
    return Groups(attribute, names, np.array([number.get(value, -1) for value in values], dtype=np.int64))


def answers_of_oulad(folder: Path, to: Path) -> None:
    """Marks as answers: of each student every assessment in time, its module as the skill. Raises `UnreadableAnswers`.

    Banked results, which were reached in an earlier year, and those without a score are left out.
    """
    try:
        data = load(folder)
    except ImportStopped as problem:
        raise UnreadableAnswers(str(problem)) from problem
    of: dict[str, Mapping[str, str]] = {}
    for enrolment in data.enrolments:
        of.setdefault(enrolment.student, {**dict(enrolment.attributes), "region": enrolment.region})
    rows = []
    for one in data.submissions:
        assessment = data.assessments[one.assessment]
        if one.score is None or one.banked or one.student not in of:
            continue
        start = data.presentations[assessment.presentation].start
        at = start.toordinal() * DAY_SECONDS + one.day * DAY_SECONDS
        groups = [of[one.student].get(name, "") for name in OULAD_ATTRIBUTES]
        rows.append((one.student, at, one.assessment, assessment.presentation.module, one.score / 100, groups))
    rows.sort(key=lambda row: row[:3])
    lines = ([s, item, skill, f"{correct:.2f}", at, *groups] for s, at, item, skill, correct, groups in rows)
    _write(to, (*HEAD, *OULAD_ATTRIBUTES), lines)


def answers_simulated(learners: int, to: Path, seed: int = 0) -> None:
    """Learners of three groups who learn alike; of `misjudged` every seventh right answer is marked wrong, at random.

    `even` and `other` differ by nothing but their name: a report that finds a difference there finds chance.
    """
    random = np.random.default_rng(seed)
    difficulty, rows = random.normal(0, 1, 40), []
    for number in range(learners):
        group = ("even", "other", "misjudged")[number % 3]
        level = random.normal(0.3, 1)
        for place in range(30):
            item = int(random.integers(40))
            right = random.random() < 1 / (1 + np.exp(difficulty[item] - level - place / 20))
            if group == "misjudged" and right and random.random() < 1 / 7:
                right = False
            rows.append([f"u{number}", f"i{item}", f"s{item % 8}", int(right), place * 60, group])
    _write(to, (*HEAD, *SIMULATED), rows)


def _write(to: Path, head: Sequence[str], lines: Iterable[Sequence[object]]) -> None:
    with gzip.open(to, "wt", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(lines)
