"""Ingest's part in privacy's conversation."""

from collections.abc import Mapping

from service_kit.consent import Change
from service_kit.mongo import Session

from ingest.documents.repository import DocumentRepository
from ingest.erasure.forgetting import forget
from ingest.identities.repository import IdentityRepository
from ingest.statements.repository import StatementRepository


class IngestParticipant:
    """`record` is asked at each request, so that a changed standing needs nothing done."""

    def __init__(
        self, statements: StatementRepository, identities: IdentityRepository, documents: DocumentRepository
    ) -> None:
        self._statements = statements
        self._identities = identities
        self._documents = documents

    async def standing_changed(self, change: Change, session: Session) -> None:
        return

    async def erase(self, tenant: str, learner: str, session: Session) -> Mapping[str, int]:
        return await forget(
            tenant,
            learner,
            session,
            statements=self._statements,
            identities=self._identities,
            documents=self._documents,
        )
