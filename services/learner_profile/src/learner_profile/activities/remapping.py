"""After a change of the catalog: mark the learners with evidence on the activity, so that they are built anew.

A batch of statements that began before the change was committed may still fold with the old mapping and commit after
the learners were marked. MongoDB ends a transaction after 60 s, so a second look, a little later than that, finds what
came in between.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final

from service_kit.clock import Clock
from service_kit.merging import Merges
from service_kit.turning import Turning

from learner_profile.activities.repository import ActivityRepository, Remap
from learner_profile.evidence.repository import EvidenceRepository
from learner_profile.learners.repository import LearnerRepository

SECOND_LOOK: Final = timedelta(seconds=65)
LOOK_BACK: Final = timedelta(seconds=60)
CLOCKS_APART: Final = timedelta(seconds=0.5)  # a row says when its batch began, by the clock of its worker
_BATCH: Final = 200


class Remapper:
    """A job of the worker; `wake()` makes it look at once."""

    def __init__(
        self,
        activities: ActivityRepository,
        evidence: EvidenceRepository,
        learners: LearnerRepository,
        merges: Merges,
        clock: Clock,
        *,
        poll_seconds: float = 1.0,
    ) -> None:
        self._activities = activities
        self._evidence = evidence
        self._learners = learners
        self._merges = merges
        self._clock = clock
        self._turning = Turning("remap", self._turn, rest_seconds=poll_seconds)
        self.wake = self._turning.wake
        self.check = self._turning.check
        self.run = self._turning.run

    async def _turn(self) -> bool:
        return await self.turn() >= _BATCH

    async def turn(self) -> int:
        """Carry out what is due; how many activities. A learner of several of them is marked once."""
        due = await self._activities.due(self._clock(), _BATCH)
        concerned: defaultdict[str, set[str]] = defaultdict(set)
        for remap in due:
            concerned[remap.tenant].update(
                await self._evidence.learners_with(remap.tenant, remap.activity, _when(remap))
            )
        for tenant, learners in concerned.items():
            groups = await self._merges.groups(tenant, learners)
            await self._learners.mark_dirty(tenant, sorted({group.root for group in groups.values()}))
        now = self._clock()
        for remap in due:
            if remap.swept_at is None:
                await self._activities.swept(remap, now, now + SECOND_LOOK)
            else:
                await self._activities.done(remap)
        return len(due)


def _when(remap: Remap) -> tuple[datetime, datetime] | None:
    """When the batches began that may have folded with the old mapping; None: ever."""
    return None if remap.swept_at is None else (remap.swept_at - LOOK_BACK, remap.swept_at + CLOCKS_APART)
