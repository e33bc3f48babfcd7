"""Who is staff by the identifiers by which they act, as the policy lists them. Plain functions."""

from collections.abc import Iterable
from functools import lru_cache

from events.payloads import Policy
from xapi.identifiers import provider_digest

from learner_profile.evidence.repository import Row


def by_staff(policy: Policy, rows: Iterable[Row]) -> bool:
    """Whether all that is known of someone came by identifiers that the policy calls staff's."""
    listed = (*policy.staff.home_pages, *policy.staff.mail_domains)
    if not listed:
        return False
    providers = {row.reading.provider for row in rows}
    return bool(providers) and providers <= _digests(listed)


@lru_cache(maxsize=256)
def _digests(listed: tuple[str, ...]) -> frozenset[str | None]:
    return frozenset(map(provider_digest, listed))
