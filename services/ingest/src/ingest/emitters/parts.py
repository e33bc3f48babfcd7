"""What the endpoints need of emitters, put together."""

from dataclasses import dataclass

from service_kit.consent import ConsentView
from service_kit.runtime import Connections

from ingest.emitters.batches import Batches
from ingest.emitters.keeping import Quarantine
from ingest.emitters.posting import Posting
from ingest.emitters.quarantine import QuarantineRepository
from ingest.emitters.repeats import Repeats
from ingest.emitters.watching import Watcher, WatchRepository
from ingest.identities.resolving import Resolver
from ingest.settings import QuarantineSettings
from ingest.statements.recording import Recorder


@dataclass(frozen=True, slots=True)
class Emitters:
    """`watcher.running` goes on beside HTTP."""

    posting: Posting
    quarantine: QuarantineRepository
    watches: WatchRepository
    watcher: Watcher

    @classmethod
    def of(cls, c: Connections, recorder: Recorder, identities: Resolver, consents: ConsentView) -> "Emitters":
        repository = QuarantineRepository(c.db, c.sealer)
        quarantine = Quarantine(repository, identities, consents, QuarantineSettings(), c.clock)
        watches = WatchRepository(c.db, c.clock)
        watcher = Watcher(watches, c.clock)
        batches = Batches(recorder, quarantine, Repeats(c.db, identities, c.clock))
        return cls(Posting(batches, watcher), repository, watches, watcher)
