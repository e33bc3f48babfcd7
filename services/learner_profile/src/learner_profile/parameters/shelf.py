"""The versions of the parameters at hand: which one a piece of evidence is folded with, loaded before it is needed.

A version holds from a time that lay `AHEAD` in the future when it was written, and whoever folds has looked for
versions at most `LOOK_AGAIN` ago: so all replicas, and every replay, fold a piece of evidence with the same one.
"""

import asyncio
import logging
import subprocess
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

import numpy as np
from learner_model.additive.kernel import plain
from learner_model.additive.weights import Parameters, decode_parameters
from learner_model.folder import Folder
from learner_model.versions import Effective, Loaded, builtin, loaded
from service_kit.turning import Turning

from learner_profile.parameters import machine_code
from learner_profile.parameters.repository import ParametersRepository

log = logging.getLogger(__name__)

AHEAD: Final = timedelta(minutes=10)
LOOK_AGAIN: Final = timedelta(seconds=15)
_KEPT: Final = 64  # versions, without zeros: at most a megabyte each
_MANY: Final = 300  # pieces of evidence: half a second in plain Python
_SPREAD: Final = 2  # versions as a whole: 32 MB each

T = TypeVar("T")
Place = tuple[str, str]
"""Tenant and version."""


@dataclass(slots=True)
class _Spread:
    """All weights of one version, zeros too."""

    of: Parameters
    loaded: Loaded

    def change(self, to: Parameters) -> None:
        """Hold another version: only what differs from 0 is touched."""
        served = self.loaded.weights.served
        served[self.of.places] = 0.0
        served[to.places] = to.served
        self.of, self.loaded = to, Loaded(self.loaded.weights, np.array(to.hyper))


class Shelf:
    """Loads and keeps versions, and makes what folds with them; one for each process that folds."""

    def __init__(self, parameters: ParametersRepository) -> None:
        self._parameters = parameters
        self._versions: dict[str, tuple[float, list[Effective]]] = {}
        self._kept: OrderedDict[Place, Parameters] = OrderedDict()
        self._spread: OrderedDict[str, _Spread] = OrderedDict()
        self._kernel = plain()
        self._given_up = False
        self._compiling: subprocess.Popen[bytes] | None = None
        self._turning = Turning("machine code", self._turn, rest_seconds=2.0)
        self.run = self._turning.run
        self._alone = asyncio.Lock()

    async def folder(self, tenant: str, stored: Iterable[datetime]) -> Folder:
        """What folds evidence that was stored at these times."""
        versions = await self._known(tenant)
        needed = {one.version for at in stored if (one := _at(versions, at)) is not None}
        found = {version: await self._fetch((tenant, version)) for version in sorted(needed)}
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return Folder(_Timetable(versions, found, self._loaded), kernel=self._kernel)

    async def in_thread(self, tenant: str, stored: Sequence[datetime], fold: Callable[[Folder], T]) -> T:
        """What `fold` gives, in a thread, one at a time; by machine code where there is much to fold."""
        if len(stored) > _MANY:
            await self._hasten()
        folder = await self.folder(tenant, stored)
        async with self._alone:
            return await asyncio.to_thread(fold, folder)

    async def _hasten(self) -> None:
        """Change over to machine code where it is there."""
        if not self._kernel.compiled and machine_code.is_ready():
            self._kernel = await asyncio.to_thread(machine_code.load)

    def _loaded(self, found: Parameters) -> Loaded:
        """The version with all weights, until another one takes their room."""
        spread = self._spread.pop(found.version, None) or self._room_for(found)
        self._spread[found.version] = spread
        return spread.loaded

    def _room_for(self, found: Parameters) -> _Spread:
        if len(self._spread) < _SPREAD:
            return _Spread(found, loaded(found))
        _, spread = self._spread.popitem(last=False)
        spread.change(found)
        return spread

    async def _known(self, tenant: str) -> list[Effective]:
        looked, versions = self._versions.get(tenant, (-1e9, []))
        if time.monotonic() - looked > LOOK_AGAIN.total_seconds():
            looked = time.monotonic()
            versions = [Effective(one.since, one.version) for one in await self._parameters.versions(tenant)]
            self._versions[tenant] = (looked, versions)
        return versions

    async def _fetch(self, place: Place) -> Parameters:
        """The one that comes with the library stands for a version of which a part lacks."""
        found = self._kept.pop(place, None)
        if found is None:
            data = await self._parameters.load(*place)
            found = builtin() if data is None else decode_parameters(data)
        self._kept[place] = found
        return found

    async def _turn(self) -> bool:
        """Have machine code made where there is none yet, and change over to it."""
        await self._hasten()
        if self._kernel.compiled or self._given_up:
            return False
        if self._compiling is None:
            self._compiling = machine_code.make_beside()
        elif self._compiling.poll():
            log.warning("no machine code: folding goes on in plain Python, a hundred times slower")
            self._given_up = True
        return False


class _Timetable:
    """`learner_model.versions.Versions` of one tenant, as far as they are needed."""

    def __init__(
        self, versions: list[Effective], found: Mapping[str, Parameters], load: Callable[[Parameters], Loaded]
    ) -> None:
        self._versions, self._found, self._load = versions, found, load

    def of(self, stored: datetime) -> Loaded:
        one = _at(self._versions, stored)
        return self._load(builtin() if one is None else self._found[one.version])


def _at(versions: list[Effective], stored: datetime) -> Effective | None:
    """The last one that held at the time."""
    return next((one for one in reversed(versions) if one.since <= stored), None)
