"""How old a service's view of policies and consents is: since when privacy has been heard on every partition.

`confirmations` holds one document a partition, `{_id: "topic/partition", at}`, written by the worker in the transaction
that handles a heartbeat. A view whose oldest partition was confirmed longer ago than the maximum age is used no more.
"""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from events import heartbeats
from events.envelope import Message
from events.errors import NotReady
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from service_kit.clock import Clock, system_clock
from service_kit.mongo import Collection, CollectionSpec, Database, Session
from service_kit.settings import KafkaSettings, danger

CONFIRMATIONS: Final = CollectionSpec("confirmations", "derived")
LOOK_AGAIN_SECONDS: Final = 5.0


class ViewSettings(BaseSettings):
    """How long a service goes on with what it last heard from privacy."""

    model_config = SettingsConfigDict(env_prefix="TRELLIS_", frozen=True, extra="ignore")

    consent_view_max_age_seconds: float = Field(
        900,
        gt=0,
        description="Without a heartbeat of privacy for so long, policies and consents are used no more: HTTP answers "
        "503, workers wait, statements are still recorded by the policy last known",
        json_schema_extra=danger(
            "Long: a withdrawal that cannot arrive is not heeded. Below a minute: a restart of privacy stops everyone."
        ),
    )


class ViewTooOld(NotReady):
    """Privacy has not been heard of for too long: wait, do not guess."""


class Freshness:
    """The view's age, read from the database every few seconds. A partition of which nothing was heard yet counts from
    the start of this process.
    """

    def __init__(
        self,
        db: Database,
        *,
        clock: Clock = system_clock,
        settings: ViewSettings | None = None,
        partitions: int | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._confirmations: Collection = db[CONFIRMATIONS.name]
        self._clock = clock
        self._max_age = (settings or ViewSettings()).consent_view_max_age_seconds
        self._partitions = partitions or KafkaSettings().topic_partitions
        self._now = now
        self._confirmed: datetime = clock()
        self._started = self._confirmed
        self._look_at = float("-inf")

    async def check(self) -> None:
        """Raises `ViewTooOld`."""
        await self.look()
        age = self.age_seconds()
        if age > self._max_age:
            raise ViewTooOld(f"privacy was last heard of {age:.0f} s ago")

    def age_seconds(self) -> float:
        """As of the last look."""
        return max(0.0, (self._clock() - self._confirmed).total_seconds())

    async def look(self) -> None:
        """Read the confirmations, if the last look is some seconds ago."""
        if self._now() < self._look_at:
            return
        found = await self._confirmations.find({}).to_list(None)
        known = {document["_id"]: document["at"] for document in found}
        wanted = [f"{t.name}/{number}" for t in heartbeats.TOPICS for number in range(self._partitions)]
        self._confirmed = min(known.get(place, self._started) for place in wanted)
        self._look_at = self._now() + LOOK_AGAIN_SECONDS

    async def look_on(self) -> bool:
        """A turn of the worker's job that keeps the age for its metric."""
        await self.look()
        return False

    async def confirm(self, heartbeat: Message, session: Session) -> None:
        """All of the heartbeat's partition up to its time is in the view."""
        place = f"{heartbeat.topic.name}/{heartbeat.partition}"
        await self._confirmations.update_one(
            {"_id": place}, {"$max": {"at": heartbeat.occurred_at}}, upsert=True, session=session
        )
