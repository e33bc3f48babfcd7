"""Signs what is due: a certificate when a request is done, again when a recipient has answered or the key is gone."""

from datetime import datetime, timedelta
from typing import Final

from events.sealing import Owner
from service_kit.clock import Clock
from service_kit.mongo import Client, Session, in_transaction
from service_kit.problems import NotFound
from service_kit.turning import Turning
from uuid_utils.compat import uuid7

from privacy.certificates.jws import signed
from privacy.certificates.repository import Certificates
from privacy.certificates.wording import document
from privacy.requests.progress import DataRequest, Status
from privacy.requests.repository import Requests
from privacy.requests.settings import RequestSettings
from privacy.signing import Signing
from privacy.state import State

REST_SECONDS: Final = 1.0
AT_ONCE: Final = 50
KIND: Final = "ld+json"


class Certifying:
    """The worker's job."""

    def __init__(
        self, client: Client, requests: Requests, certificates: Certificates, signing: Signing, clock: Clock
    ) -> None:
        self._client = client
        self._requests = requests
        self._certificates = certificates
        self._signing = signing
        self._clock = clock
        self._backups = timedelta(days=RequestSettings().backup_days)
        self.run = Turning("certificates", self._turn, rest_seconds=REST_SECONDS).run

    async def _turn(self) -> bool:
        return await self.turn() == AT_ONCE

    async def turn(self) -> int:
        """How many were signed."""
        due = await self._requests.to_certify(AT_ONCE)
        for tenant, request, subject, mark in due:
            await self._certify(tenant, request, subject, mark)
        return len(due)

    async def _certify(self, tenant: str, request: DataRequest, subject: str, mark: str) -> None:
        signer, now, number = await self._signing.signer(), self._clock(), str(uuid7())
        said = document(tenant, request, subject=subject, number=number, issued_at=now, backups=self._backups)
        jws = signed(said, signer, KIND)
        owner = Owner(tenant, request.learner) if request.status is Status.refused else None

        async def keep(session: Session) -> None:
            if await self._requests.certified(tenant, request.id, mark, session):
                await self._certificates.add(tenant, request.id, number, now, jws, owner, session)

        await in_transaction(self._client, keep)


async def key_destroyed(tenant: str, request_id: str, at: datetime, state: State) -> None:
    """Say of an erasure since when nobody can read what was left; its certificate gets this second date.

    To be called once the old bucket key is destroyed. Raises `NotFound`.
    """

    async def note(session: Session) -> None:
        if not await state.requests.key_destroyed(tenant, request_id, at, session):
            raise NotFound("There is no such erasure")

    await in_transaction(state.client, note)
