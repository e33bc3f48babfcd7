"""Ingest's part in privacy's conversation."""

from collections.abc import Mapping
from typing import Final

from events.sealing import KeyGone
from service_kit.consent import Change
from service_kit.erasing import Passed
from service_kit.mongo import Database, Session

from ingest.attachments.repository import AttachmentRepository
from ingest.disclosures.telling import Telling
from ingest.documents.repository import DocumentRepository
from ingest.emitters.quarantine import QuarantineRepository
from ingest.erasure.forgetting import forget, forget_part
from ingest.erasure.unreadable import forget_unreadable
from ingest.forwarding.repository import ForwardingRepository
from ingest.identities.repository import IdentityRepository
from ingest.launches.repository import LaunchRepository
from ingest.merges.repository import MergeRepository
from ingest.republishing.repository import RepublicationRepository
from ingest.retention.outside import Outside
from ingest.retention.repository import RetainedStatements
from ingest.retention.retaining import Retention
from ingest.statements.repository import StatementRepository

REBUILT: Final = ("profile", "record")


class IngestParticipant:
    """`record` is asked at each request, so that a changed standing needs nothing done, but for one thing: where all
    services allow again what they had removed, the statements that are kept are published once more.
    """

    def __init__(
        self,
        statements: StatementRepository,
        identities: IdentityRepository,
        documents: DocumentRepository,
        attachments: AttachmentRepository,
        forwardings: ForwardingRepository,
        launches: LaunchRepository,
        quarantine: QuarantineRepository,
        republications: RepublicationRepository,
        merges: MergeRepository,
        telling: Telling,
        db: Database,
    ) -> None:
        retained = RetainedStatements(db)
        outside = Outside(telling.disclosures, forwardings, statements, retained, telling.clock)
        retention = Retention(statements, retained, identities, documents, attachments, forwardings, outside)
        self.candidates, self.retain = retention.candidates, retention.retain
        self._db = db
        self._statements = statements
        self._identities = identities
        self._documents = documents
        self._attachments = attachments
        self._forwardings = forwardings
        self._launches = launches
        self._quarantine = quarantine
        self._republications = republications
        self._merges = merges
        self._telling = telling

    async def standing_changed(self, change: Change, session: Session) -> None:
        before, after = (
            sum(one.state.rebuild.get(purpose, 0) for purpose in REBUILT) for one in (change.before, change.after)
        )
        if after > before and all(change.after.allows(purpose) for purpose in REBUILT):
            await self._republications.ask(change.tenant, change.learner, session)

    async def pass_on(self, tenant: str, learner: str, request: str, session: Session) -> Passed:
        """`service_kit.erasing.PassesOn`."""
        until = await self._telling.refuse_return(tenant, learner, session)
        return Passed(await self._telling.pass_on(tenant, learner, request, session), until)

    async def erase_part(self, tenant: str, learner: str, limit: int, session: Session) -> Mapping[str, int]:
        """`service_kit.erasing.ErasesInParts`."""
        return await forget_part(
            tenant,
            learner,
            limit,
            session,
            statements=self._statements,
            identities=self._identities,
            attachments=self._attachments,
            forwardings=self._forwardings,
        )

    async def erase(self, tenant: str, learner: str, session: Session) -> Mapping[str, int]:
        await self._republications.forget(tenant, learner, session)
        await self._merges.forget(tenant, learner, session)
        try:
            return await self._forget(tenant, learner, session)
        except KeyGone:  # after a restore
            return await forget_unreadable(self._db, tenant, learner, session)

    async def _forget(self, tenant: str, learner: str, session: Session) -> Mapping[str, int]:
        return await forget(
            tenant,
            learner,
            session,
            statements=self._statements,
            identities=self._identities,
            documents=self._documents,
            attachments=self._attachments,
            forwardings=self._forwardings,
            launches=self._launches,
            quarantine=self._quarantine,
        )
