"""Which processes a whole Trellis is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from devstack.errors import StackError

SERVICES = ("ingest", "learner_profile", "recommendation", "privacy", "insights")
DEFAULT_PORT_BASE = 8001
# Every process that runs beside `serve`.
_OTHER_ROLES: Mapping[str, tuple[str, ...]] = {
    "ingest": ("work", "relay"),
    "learner_profile": ("work", "train"),
    "recommendation": ("work",),
    "privacy": ("work",),
    "insights": ("work",),
}


@dataclass(frozen=True)
class Program:
    """One process: `python -m <service> <role>`."""

    service: str
    role: str

    @property
    def name(self) -> str:
        """`ingest` serves, `ingest-relay` and `ingest-work` do the rest."""
        return self.service if self.role == "serve" else f"{self.service}-{self.role}"


def all_programs() -> list[Program]:
    """Those that answer first, then those that work."""
    serving = [Program(service, "serve") for service in SERVICES]
    return serving + [Program(service, role) for service in SERVICES for role in _OTHER_ROLES[service]]


# Parts of Trellis that make sense alone, by the name that `ROLES=` takes.
ROLES: Mapping[str, tuple[str, ...]] = {
    "all": tuple(program.name for program in all_programs()),
    "recording": ("privacy", "ingest", "privacy-work", "ingest-work"),
}


def programs_of(roles: str) -> list[Program]:
    """The programs of a part of Trellis (`ROLES`). Raises StackError."""
    wanted = ROLES.get(roles)
    if wanted is None:
        raise StackError(f"there are no roles {roles!r}; there are: {', '.join(ROLES)}")
    return [program for program in all_programs() if program.name in wanted]


def fixed_ports(base: int = DEFAULT_PORT_BASE) -> dict[str, int]:
    """The port of each service where people expect it: ingest at the base, and so on."""
    return {service: base + offset for offset, service in enumerate(SERVICES)}
