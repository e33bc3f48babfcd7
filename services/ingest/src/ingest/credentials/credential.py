"""Who calls the LRS, and how it shows that it is who it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from service_kit.audit import Who
from service_kit.problems import Forbidden
from xapi import Parsed

from ingest.credentials.limits import Access, Limits, Place
from ingest.credentials.profiles import Profile
from ingest.credentials.schemas import Scope


@dataclass(frozen=True, slots=True)
class Account:
    """The account that stands as authority."""

    home_page: str
    name: str


@dataclass(frozen=True, slots=True)
class Credential:
    """A caller of /xapi: a key, a bearer token, or a launch.

    `key` is what a statement's `authority` field holds, and by which `statements/read/mine` finds it: that of the
    issuer where a launch calls.
    """

    key: str
    tenant: str
    scopes: frozenset[Scope]
    account: Account
    profile: Profile = Profile.strict
    limits: Limits | None = None

    def may(self, *scopes: Scope) -> bool:
        """Whether it has one of the scopes; `all` stands for every one."""
        return Scope.all in self.scopes or not self.scopes.isdisjoint(scopes)

    def check_document(self, place: Place, access: Access) -> None:
        """Raises `Forbidden` where a launch may not touch the document; nobody else is limited."""
        refusal = None if self.limits is None else self.limits.of_document(place, access)
        if refusal is not None:
            error = {"parameter": refusal.place, "in": "query", "detail": refusal.detail}
            raise Forbidden(f"The launch does not allow this {refusal.place}: {refusal.detail}", errors=[error])

    def check_statements(self, batch: Sequence[Parsed], *, is_array: bool) -> None:
        """Raises `Forbidden` with every place that a launch may not write; nobody else is limited."""
        errors = [] if self.limits is None else self.limits.of_batch(batch, is_array=is_array)
        if errors:
            raise Forbidden(f"The launch does not allow what is at {errors[0]['pointer']}", errors=errors)


def who(credential: Credential) -> Who:
    """The caller in the audit: an LMS by its key; whoever holds a bearer token with scopes by the token's `sub`."""
    return Who.credential(credential.key)


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret's hash, good until then where a time is set."""

    digest: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests a second, and how many at once."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class Known:
    """A caller and what it must show. `caller` is the name under which its requests are counted."""

    caller: str
    credential: Credential
    secrets: tuple[Secret, ...]
    expires_at: datetime | None = None
    rate: Rate | None = None

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now
