"""Kafka in: which learners are one person."""

from collections.abc import Callable, Sequence

from events.envelope import Message
from service_kit.mongo import Session

from privacy.requests.asking import take_along
from privacy.requests.progress import Status
from privacy.state import State


class MergeHandler:
    """Keeps the view. What is merged with someone whose erasure has begun is erased with them: the request came first,
    and it takes the whole person.
    """

    def __init__(self, state: State, asked: Callable[[], None]) -> None:
        self._state = state
        self._asked = asked

    async def handle(self, messages: Sequence[Message], session: Session) -> None:
        for message in messages:
            if message.subject is None:
                continue
            if message.payload is None:
                await self._state.merges.forget(message.tenant, message.subject, session)
            elif await self._state.merges.put(message.tenant, message.subject, message.payload, session):
                await self._erase_all(message.tenant, message.subject, session)

    async def committed(self) -> None:
        self._asked()

    async def _erase_all(self, tenant: str, learner: str, session: Session) -> None:
        for one in (await self._state.merges.group(tenant, learner, session)).everyone:
            request = await self._state.requests.open_erasure(tenant, one, session)
            if request is not None and request.status is Status.running:
                await take_along(tenant, request, self._state, session)
                return
