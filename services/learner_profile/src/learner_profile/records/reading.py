"""A record that was brought: opened, held to its manifest, and never larger than it says. No I/O but the checks of
signatures.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from service_kit.problems import BadRequest

from learner_profile.records.credentials import ACHIEVEMENT, RECORD
from learner_profile.records.exporting import FOLDER, MANIFEST, STATE, STATEMENTS, digest
from learner_profile.records.trusting import NotTrusted, TrustedIssuers

MOST_BYTES: Final = 256 * 1024 * 1024
MOST_FILES: Final = 2000
MOST_MANIFEST: Final = 1024 * 1024
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    KeyError,
    TypeError,
    ValueError,
    EOFError,
    NotImplementedError,
    RuntimeError,  # an encrypted ZIP
)


@dataclass(frozen=True, slots=True)
class Brought:
    """A record whose signature is good and whose files are those that were signed."""

    id: str
    issuer: str
    issuer_name: str
    issued_at: str
    agents: Sequence[Mapping[str, Any]]
    files: Mapping[str, bytes]

    def statements(self) -> Iterator[Any]:
        """Raises `ValueError` for a line that is no JSON."""
        return (orjson.loads(line) for line in self.files.get(STATEMENTS, b"").split(b"\n") if line.strip())

    def state(self) -> dict[str, Any] | None:
        """Raises `ValueError`."""
        found = orjson.loads(self.files[STATE]) if STATE in self.files else None
        if found is not None and not isinstance(found, dict):
            raise ValueError("the state is no object")
        return found

    def credentials(self) -> dict[str, str]:
        """The single credentials by the name of their file; the CLR holds the same ones."""
        own = [name for name in self.files if name.startswith(f"{FOLDER}/") and name.endswith(".jwt")]
        return {name: self.files[name].decode() for name in sorted(own) if not name.endswith("/clr.jwt")}


async def opened(body: bytes, issuers: TrustedIssuers) -> Brought:
    """Raises `BadRequest`, which says what is wrong with the record."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            said = await _manifest(archive, issuers)
            files = {one["name"]: _file(archive, one) for one in said["credentialSubject"]["files"]}
        return Brought(
            id=said["id"],
            issuer=said["iss"],
            issuer_name=str(said["issuer"].get("name", "")),
            issued_at=said["validFrom"],
            agents=said["credentialSubject"]["agents"],
            files=files,
        )
    except NotTrusted as error:
        raise _wrong(f"{MANIFEST}: {error}") from None
    except _BROKEN as error:
        raise _wrong(f"not a learner's record: {type(error).__name__}") from None


async def achievements(brought: Brought, issuers: TrustedIssuers) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The credentials that are good, and why the others are not, by file."""
    good: list[dict[str, Any]] = []
    refused: dict[str, str] = {}
    for name, token in brought.credentials().items():
        try:
            said = await issuers.credential(token, brought.issuer)
        except NotTrusted as error:
            refused[name] = str(error)
            continue
        if ACHIEVEMENT in said.get("type", ()):
            good.append(said)
        else:
            refused[name] = "not an AchievementCredential"
    return good, refused


async def _manifest(archive: zipfile.ZipFile, issuers: TrustedIssuers) -> dict[str, Any]:
    infos = archive.infolist()
    if len(infos) > MOST_FILES or sum(one.file_size for one in infos) > MOST_BYTES:
        raise _wrong(f"the record holds more than {MOST_FILES} files or {MOST_BYTES} bytes")
    token = _read(archive, MANIFEST, MOST_MANIFEST)
    said = await issuers.credential(token.decode())
    if RECORD not in said["type"]:
        raise NotTrusted("not the manifest of a record")
    return said


def _file(archive: zipfile.ZipFile, said: Mapping[str, Any]) -> bytes:
    """The file, if it is the one that was signed."""
    name, size = str(said["name"]), int(said["bytes"])
    data = _read(archive, name, size)
    if len(data) != size or digest(data) != said["sha256"]:
        raise _wrong(f"{name}: not the file that was signed")
    return data


def _read(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    with archive.open(name) as file:  # what it unpacks to may be more than it says
        return file.read(most + 1)


def _wrong(detail: str) -> BadRequest:
    return BadRequest("The record is not taken", errors=[{"pointer": "", "detail": detail}])
