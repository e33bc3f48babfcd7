"""The ZIP, written as the records come: nothing of it lies in the clear on a disk."""

import hashlib
import io
import zipfile
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Final

import orjson

from service_kit.subjects import Item, Record

MANIFEST: Final = "manifest.json"
README: Final = "README.txt"


class Sink(io.RawIOBase):
    """What was written and not taken yet. A ZIP written to it is one that streams (no seeking back)."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # any buffer comes, bytes are what zipfile writes
        self.waiting += data
        return len(data)

    def taken(self) -> bytes:
        """All that waits."""
        data = bytes(self.waiting)
        self.waiting.clear()
        return data


@dataclass
class Entry:
    """A file of the ZIP. `records`: how many lines it has, of files that have lines."""

    name: str
    records: int | None = None
    size: int = 0
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)


class Archive:
    """A ZIP in the making. Records of one part, and pieces of one file, come one after the other: `ValueError` where
    more comes for a file that is closed, since of two with one name whoever unpacks the ZIP keeps one.
    """

    def __init__(self, made_at: datetime) -> None:
        self._sink = Sink()
        self._zip = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED)
        self._made_at = made_at.timetuple()[:6]
        self._open: IO[bytes] | None = None
        self._entry: Entry | None = None
        self._names: set[str] = set()
        self.entries: list[Entry] = []

    def add(self, service: str, item: Item) -> None:
        """One more record or piece of what the service holds."""
        if isinstance(item, Record):
            self.line(f"{service}/{safe(item.part)}.jsonl", item.data)
        else:
            self._at(f"{service}/{safe(item.file)}", lines=False)
            self._write(item.data)

    def line(self, name: str, data: bytes) -> None:
        """One more line of a file of lines."""
        entry = self._at(name, lines=True)
        entry.records = (entry.records or 0) + 1
        self._write(data + b"\n")

    def put(self, name: str, data: bytes) -> None:
        """A whole file."""
        self._at(name, lines=False)
        self._write(data)

    def counts(self, service: str) -> dict[str, int]:
        """Records by part, and files, of one service."""
        own = [entry for entry in self.entries if entry.name.startswith(f"{service}/")]
        counts = {e.name.partition("/")[2].removesuffix(".jsonl"): e.records for e in own if e.records is not None}
        files = sum(entry.records is None for entry in own)
        return {name: count or 0 for name, count in counts.items()} | ({"files": files} if files else {})

    def manifest(self, said: dict[str, object]) -> None:
        """The last file: every other with its size, its records and its SHA-256."""
        files = [
            {"name": e.name, "bytes": e.size, "sha256": e.digest.hexdigest()}
            | ({"records": e.records} if e.records is not None else {})
            for e in self.entries
        ]
        self.put(MANIFEST, orjson.dumps(said | {"files": files}, option=orjson.OPT_INDENT_2))

    def close(self) -> None:
        self._end()
        self._zip.close()

    def taken(self, most: int) -> bytes:
        """Up to so many of the bytes that wait."""
        data = bytes(self._sink.waiting[:most])
        del self._sink.waiting[:most]
        return data

    @property
    def waiting(self) -> int:
        return len(self._sink.waiting)

    def _at(self, name: str, *, lines: bool) -> Entry:
        if self._entry is None or self._entry.name != name:
            self._end()
            if name in self._names:
                raise ValueError(f"{name} is closed already")
            self._names.add(name)
            self._entry = Entry(name, 0 if lines else None)
            self.entries.append(self._entry)
            info = zipfile.ZipInfo(name, self._made_at)
            info.compress_type = zipfile.ZIP_DEFLATED
            self._open = self._zip.open(info, "w", force_zip64=True)
        return self._entry

    def _write(self, data: bytes) -> None:
        if self._open is not None and self._entry is not None:
            self._open.write(data)
            self._entry.size += len(data)
            self._entry.digest.update(data)

    def _end(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open, self._entry = None, None


def safe(name: str) -> str:
    """A name that leads nowhere but into the archive."""
    parts = [part for part in name.split("/") if part not in ("", ".", "..")]
    return "/".join("".join(c if c.isalnum() or c in "-_." else "_" for c in part) for part in parts) or "unnamed"
