"""What an import has done already: a file with one line for each batch that was answered, so that it can go on."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import orjson

from cli.oulad.dataset import Refusal
from cli.oulad.errors import ImportStopped


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a batch fared: `accepted` are stored (now or earlier), `not_recorded` acknowledged and left out."""

    accepted: int = 0
    not_recorded: int = 0
    refused: tuple[Refusal, ...] = ()

    @property
    def statements(self) -> int:
        return self.accepted + self.not_recorded + len(self.refused)

    def __add__(self, other: Delivery) -> Delivery:
        return Delivery(
            self.accepted + other.accepted,
            self.not_recorded + other.not_recorded,
            self.refused + other.refused,
        )


@dataclass
class Journal:
    """Batches that were answered, by number; `add` writes one down."""

    file: IO[bytes]
    done: dict[int, Delivery] = field(default_factory=dict)

    def add(self, number: int, delivery: Delivery) -> None:
        self.done[number] = delivery
        line = {
            "batch": number,
            "accepted": delivery.accepted,
            "not_recorded": delivery.not_recorded,
            "refused": [list(refusal) for refusal in delivery.refused],
        }
        self.file.write(orjson.dumps(line) + b"\n")
        self.file.flush()


@contextmanager
def journal(path: Path, import_: str) -> Iterator[Journal]:
    """The journal of the import with this fingerprint; that of another is begun anew. Gone when the body succeeds.

    Raises `ImportStopped` where another process holds it, or where the file is not a journal.
    """
    with _opened(path) as file:
        lines = file.read().split(b"\n")
        head = orjson.dumps({"import": import_})
        kept = Journal(file)
        if lines[0] == head:
            kept.done.update(_deliveries(lines[1:]))
        elif lines[0] and not lines[0].startswith(b'{"import":'):
            raise ImportStopped(f"{path} is there and is not the progress of an import: name another file")
        _rewrite(file, head)
        for number, delivery in list(kept.done.items()):
            kept.add(number, delivery)
        yield kept
    path.unlink()


def _rewrite(file: IO[bytes], head: bytes) -> None:
    file.seek(0)
    file.truncate()
    file.write(head + b"\n")


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ImportStopped(f"another import is running: it holds {path}") from None
        file.seek(0)
        yield file


def _deliveries(lines: list[bytes]) -> Iterator[tuple[int, Delivery]]:
    for line in lines:
        try:
            value: dict[str, Any] = orjson.loads(line)
        except ValueError:
            continue  # the last line of a process that was killed while writing it
        refused = tuple(Refusal(*one) for one in value["refused"])
        yield value["batch"], Delivery(value["accepted"], value["not_recorded"], refused)
