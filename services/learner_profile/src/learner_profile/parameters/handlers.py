"""Kafka in: versions of the parameters, so that a database that begins anew has those of the old one."""

from collections import defaultdict
from collections.abc import Sequence

from events.envelope import Message
from events.payloads import ModelParameters
from service_kit.mongo import Session

from learner_profile.parameters.repository import ParametersRepository


class ParametersHandler:
    """Keeps what is not there yet."""

    def __init__(self, parameters: ParametersRepository) -> None:
        self._parameters = parameters

    async def handle(self, messages: Sequence[Message], session: Session) -> None:
        newest: defaultdict[str, dict[str, ModelParameters | None]] = defaultdict(dict)
        for message in messages:
            if message.subject:
                newest[message.tenant][message.subject] = message.payload
        for tenant, parts in newest.items():
            kept = [one for one in parts.values() if one is not None]
            await self._parameters.put(tenant, kept, session, publish=False)
            await self._parameters.remove(tenant, [key for key, one in parts.items() if one is None], session)

    async def committed(self) -> None:
        """Whoever folds looks for versions by itself."""
