"""One page of a list: whom the query means, how far it may go, which statements those are."""

from dataclasses import replace

from service_kit.mongo import Document
from xapi import StatementQuery, canonical_ifi

from ingest.credentials.authority import authority_of
from ingest.credentials.repository import Credential
from ingest.credentials.schemas import Scope
from ingest.identities.repository import Identity
from ingest.identities.resolving import Resolver
from ingest.merges.merging import Merging
from ingest.statements import reading
from ingest.statements.indexing import agent_tokens
from ingest.statements.repository import Place, StatementRepository
from ingest.statements.restricted import Restricted
from ingest.statements.stamps import Stamps, to_micros


def only_mine(credential: Credential) -> str | None:
    """The key of a credential that reads what it wrote itself (1.0.3 Communication 4.2)."""
    return None if credential.may(Scope.statements_read, Scope.all_read) else credential.key


async def consistent_through(query: StatementQuery, stamps: Stamps) -> int:
    """As it was last confirmed; an ascending walk, which ends there, is worth asking anew."""
    known = stamps.consistent_through()
    if known == 0 or (query.ascending and (query.until is None or to_micros(query.until) > known)):
        return await stamps.confirmed()
    return known


class Lister:
    def __init__(
        self, statements: StatementRepository, identities: Resolver, restricted: Restricted, merging: Merging
    ) -> None:
        self._statements = statements
        self._identities = identities
        self._restricted = restricted
        self._merging = merging

    async def page(
        self, credential: Credential, query: StatementQuery, through: int, *, after: Place | None, limit: int
    ) -> list[Document]:
        """The next statements, at most `limit`.

        An identity may come from the cache: one who was forgotten has no statements left, so that an empty page alone
        is worth a look whether the identifier stands for someone else by now.
        """
        if query.agent_ifi is None:
            return await self._of(credential, query, None, through, after, limit)
        tenant, found = credential.tenant, list[Document]()
        identity = await self._identities.look_up(tenant, query.agent_ifi, cached=True)
        if identity is not None:
            found = await self._of(credential, query, identity, through, after, limit)
        if not found:
            now = await self._identities.look_up(tenant, query.agent_ifi)
            if now is not None and (identity is None or now.agent != identity.agent):
                return await self._of(credential, query, now, through, after, limit)
        return found

    async def _of(
        self,
        credential: Credential,
        query: StatementQuery,
        identity: Identity | None,
        through: int,
        after: Place | None,
        limit: int,
    ) -> list[Document]:
        agents = await self._merging.agents(credential.tenant, identity) if identity else []
        selection = reading.selection(query, agents, through)
        if hidden := await self._restricted.of(credential.tenant):
            selection = replace(selection, hidden=hidden)
        if (mine := only_mine(credential)) is not None:
            # Found by their authority, so that the statements of others cost nothing.
            ifi = str(canonical_ifi(authority_of(credential)))
            own = await self._identities.look_up(credential.tenant, ifi, cached=True)
            if own is None:
                return []
            selection = replace(selection, keys=(*selection.keys, agent_tokens(own.agent)))
        return await self._statements.page(credential.tenant, selection, after=after, limit=limit, authority=mine)
