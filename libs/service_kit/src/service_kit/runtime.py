"""How a process of a service runs: `python -m <service> init | serve | work …`."""

import argparse
import asyncio
import gc
import logging
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import uvicorn
import uvloop
from aiokafka.errors import KafkaError
from events import topics
from events.cancellation import heed_cancellation
from events.consumer import BatchConsumer, Handler
from events.dead_letters import DeadLetters
from events.errors import EventsError, NotReady
from events.kafka import Kafka, create_topics
from events.publisher import Publisher
from events.sealing import Sealer
from events.topics import Topic
from fastapi import FastAPI
from pydantic import ValidationError

from service_kit import audit, health, metrics, observing, telemetry
from service_kit.audit import Audit, AuditSource
from service_kit.clock import Clock, system_clock
from service_kit.erasing import Erasing
from service_kit.freshness import LOOK_AGAIN_SECONDS, Freshness
from service_kit.keys import held
from service_kit.keys.clearing import Clearing
from service_kit.keys.making import Keys, MakeDirectory, keys_of, sealer_of
from service_kit.keys.migrating import MIGRATIONS, Migrating, Place, Walk
from service_kit.keys.restoring import Restoring
from service_kit.leases import LEASES
from service_kit.mongo import Client, CollectionSpec, Database, away, connect, database, ensure
from service_kit.outbox import OutboxRelay, Source
from service_kit.positions import POSITIONS, MongoPositions
from service_kit.privacy import Participant, PrivacyHandler, ReceiptSource
from service_kit.retaining import Retaining, Retains
from service_kit.settings import ServiceSettings
from service_kit.turning import Turning

log = logging.getLogger(__name__)

_OBJECTS_BETWEEN_COLLECTIONS: Final = 100_000
_PAUSE_SECONDS: Final = 0.5
KEY_COLLECTIONS: Final = (*held.COLLECTIONS, MIGRATIONS)
GATHER_MS: Final = 40  # of topics that carry learning itself: a fetch costs as much as folding ten statements

Job = Callable[[], Awaitable[None]]


@dataclass
class Connections:
    """What every process of a service holds: its database, Kafka's address, the sealer and its keys, the clock."""

    service: str
    settings: ServiceSettings
    client: Client
    db: Database
    kafka: Kafka
    sealer: Sealer
    clock: Clock = system_clock
    keys: Keys | None = None  # None: everything lies in the clear

    @cached_property
    def audit(self) -> Audit:
        return Audit(self.db, self.sealer, self.service, self.clock, self.settings.audit.audit_pseudonym_key)


@asynccontextmanager
async def connections(
    service: str, settings: ServiceSettings, directory: MakeDirectory | None = None
) -> AsyncIterator[Connections]:
    """Make the clients in the running loop, close them at the end. `directory`: privacy knows by itself whose key is
    which.
    """
    client = connect(settings.mongo)
    db = database(client, settings.mongo, service)
    keys: Keys | None = None
    try:
        keys = keys_of(settings.keys, settings.peers, db, directory)
        yield Connections(service, settings, client, db, kafka_of(settings), sealer_of(keys), keys=keys)
    finally:
        if keys is not None:
            await keys.close()
        await client.close()


def kafka_of(settings: ServiceSettings) -> Kafka:
    own = settings.kafka
    return Kafka(
        own.kafka_bootstrap,
        settings.mongo.namespace,
        own.kafka_replication,
        own.topic_partitions,
        user=own.kafka_user,
        password=own.kafka_password.get_secret_value(),
        ca_file=own.kafka_ca_file,
    )


@dataclass
class Worker:
    """The jobs of one worker process and what its health is read from.

    Build it with `consume`, `relay`, `take_part` and `job`; `run` goes on until cancelled, or until one job fails.
    """

    connections: Connections
    jobs: list[Job] = field(default_factory=list)
    checks: list[health.Checker] = field(default_factory=list)
    closers: list[Job] = field(default_factory=list)
    consumers: list[BatchConsumer] = field(default_factory=list)
    relays: list[OutboxRelay] = field(default_factory=list)
    first: list[Job] = field(default_factory=list)  # before the jobs begin; repeated until the keys are there

    def consume(
        self,
        name: str,
        consumed: Sequence[Topic],
        handler: Handler,
        *,
        max_records: int = 500,
        gather_ms: int | None = None,
        alone: asyncio.Lock | None = None,
    ) -> BatchConsumer:
        """Feed the handler from the topics as the group `<service>.<name>`; busy topics gather (`new_consumer`).
        `alone`: held during each transaction (`OutboxRelay.clearing`).
        """
        c = self.connections
        dead_letters = DeadLetters(c.kafka)
        consumer = BatchConsumer(
            kafka=c.kafka,
            group=f"{c.service}.{name}",
            topics=consumed,
            handler=handler,
            positions=MongoPositions(c.client, c.db),
            dead_letters=dead_letters,
            sealer=c.sealer,
            max_records=max_records,
            gather_ms=gather_ms,
            alone=alone,
        )
        self.jobs.append(consumer.run)
        self.checks.append(health.consumer_check(consumer))
        self.closers.append(dead_letters.close)
        self.consumers.append(consumer)
        return consumer

    def relay(self, source: Source, *, poll_seconds: float = 0.2) -> OutboxRelay:
        """Publish the source's flagged documents; those flagged in this process are seen at once by `wake`."""
        c = self.connections
        publisher = Publisher(c.kafka, c.sealer)
        relay = OutboxRelay(c.db, source, publisher, poll_seconds=poll_seconds)
        self.jobs.append(relay.run)
        self.checks.append(relay.check)
        self.closers.append(publisher.close)
        self.relays.append(relay)
        return relay

    def take_part(self, participant: Participant) -> PrivacyHandler:
        """Keep the view of policies and consents, carry out requests, send receipts and the audit."""
        c = self.connections
        self.relay(AuditSource(), poll_seconds=1.0)
        receipts = self.relay(ReceiptSource(), poll_seconds=1.0)

        def wake() -> None:
            receipts.wake()
            erasing.wake()
            if retaining is not None:
                retaining.wake()

        restoring = None if c.keys is None else Restoring(c.client, c.keys, participant, c.clock)
        own_keys, renew = (None, None) if c.keys is None or restoring is None else (c.keys.held, restoring.wake)
        if restoring is not None:
            self.first.append(restoring.begin)
            self.job(restoring.go_on)
        handler = PrivacyHandler(c.service, c.db, participant, c.clock, wake, own_keys, renew)
        erasing = Erasing(c.client, c.db, c.service, participant, c.clock, handler.receipt, receipts.wake, own_keys)
        self.job(erasing.run)
        self.checks.append(erasing.check)
        retaining: Retaining | None = None
        if isinstance(participant, Retains):
            retaining = Retaining(c.client, c.db, c.service, participant, c.clock, handler.receipt, receipts.wake)
            self.job(retaining.run)
            self.checks.append(retaining.check)
        self.consume("policies", [topics.POLICIES], handler)  # apart: decisions wait until a policy is known
        merges = [topics.MERGES] if c.service in topics.MERGES.consumers else []  # ingest knows by itself
        self.consume("decisions", [topics.CONSENTS, topics.REQUESTS, *merges], handler)
        freshness = Freshness(c.db, partitions=c.kafka.partitions)
        self.job(Turning("view age", freshness.look_on, rest_seconds=LOOK_AGAIN_SECONDS).run)
        metrics.observe(metrics.CONSENT_VIEW_AGE, lambda: [(freshness.age_seconds(), {"service": c.service})])
        return handler

    def job(self, job: Job) -> None:
        self.jobs.append(job)

    async def run(self) -> None:
        for step in self.first:
            await _until_done(step)
        observing.observe(self.consumers, self.relays)
        try:
            async with asyncio.TaskGroup() as group:
                for job in self.jobs:
                    group.create_task(_forever(job))
        finally:
            for close in self.closers:
                await close()


async def _until_done(step: Job) -> None:
    """Again after a pause where something that it needs is away."""
    while True:
        heed_cancellation()
        try:
            return await step()
        except Exception as error:
            if not (away(error) or isinstance(error, NotReady)):
                raise
            log.warning("waiting: %s", error)
        await asyncio.sleep(_PAUSE_SECONDS)


async def _forever(job: Job) -> None:
    await job()
    raise RuntimeError("a job of this worker ended by itself")


@dataclass(frozen=True)
class Service:
    """One service: its collections, its app and its workers by role."""

    name: str
    collections: Sequence[CollectionSpec]
    app: Callable[[ServiceSettings], FastAPI]
    workers: Mapping[str, Callable[[Connections], Worker]]
    directory: MakeDirectory | None = None
    sealed: Sequence[Place] = ()
    walks: Callable[[Connections], Sequence[Walk]] = lambda _: ()

    async def init(self, settings: ServiceSettings) -> None:
        """Create topics, collections and indexes; repeatable."""
        await create_topics(kafka_of(settings), topics.of_service(self.name))
        async with connections(self.name, settings, self.directory) as c:
            await ensure(c.db, [POSITIONS, LEASES, *audit.COLLECTIONS, *KEY_COLLECTIONS, *self.collections])

    async def work(self, settings: ServiceSettings, role: str) -> None:
        """Run a worker with its health page until cancelled."""
        async with connections(self.name, settings, self.directory) as c:
            worker = self.workers[role](c)
            if c.keys is not None and role == "work" and self.sealed:
                places: list[Place | Walk] = [*self.sealed, *self.walks(c)]
                migrating = Migrating(c.db, c.sealer, places, settings.keys.sealing_per_second, c.clock)
                clearing = Clearing(c.client, c.db, self.name, c.clock)
                for one in (migrating, clearing):
                    one.observe()
                    worker.job(one.run)
                worker.checks.append(migrating.check)
            app = FastAPI(title=f"{self.name} {role}", telemetry=telemetry.of_requests())
            app.include_router(health.router(worker.checks))
            async with serving(app, settings):
                await worker.run()


@asynccontextmanager
async def serving(app: FastAPI, settings: ServiceSettings) -> AsyncIterator[None]:
    """Serve the app beside what the body does, in the same loop."""
    server = _Quiet(_config(app, settings))
    task = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.should_exit = True
        await task


class _Quiet(uvicorn.Server):
    """A server that leaves signals to the process."""

    def capture_signals(self) -> Any:
        return nullcontext()


def _config(app: FastAPI, settings: ServiceSettings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.http.host,
        port=settings.http.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
        timeout_keep_alive=75,  # longer than clients and proxies keep a connection they may use again
    )


def main(service: Service) -> None:
    """Entry of `python -m <service> <role>`. An expected failure is one line on standard error and status 1."""
    parser = argparse.ArgumentParser(prog=f"python -m {service.name}")
    parser.add_argument("role", choices=["init", "serve", *service.workers])
    role = parser.parse_args().role
    settings = _settings()
    telemetry.start(service.name, role, settings.telemetry)
    _calm_the_collector()
    try:
        if role == "serve":
            app = service.app(settings)
            uvicorn.Server(_config(app, settings)).run()
        elif role == "init":
            asyncio.run(service.init(settings))
        else:
            _run_until_signal(lambda: service.work(settings, role))
    except Exception as error:
        log.critical("stopped: %s", _one_line(error), exc_info=None if _expected(error) else error)
        sys.exit(1)


def _calm_the_collector() -> None:
    """Look for cycles after 100,000 objects, not 700, and never among what was imported: nearly everything here dies by
    its count of references. It took an eighth of ingest's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 50)


def _settings() -> ServiceSettings:
    try:
        return ServiceSettings()
    except ValidationError as error:
        names = [f"TRELLIS_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors(include_input=False)]
        sys.exit(f"wrong settings: {'; '.join(names)}")


def _expected(error: BaseException) -> bool:
    """Whether one line says all there is to say."""
    if isinstance(error, BaseExceptionGroup):
        return all(_expected(inner) for inner in error.exceptions)
    return isinstance(error, EventsError | KafkaError) or away(error)


def _one_line(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(_one_line(inner) for inner in error.exceptions)
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"


def _run_until_signal(job: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(job())
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, task.cancel)
        try:
            await task
        except asyncio.CancelledError:
            log.info("stopped by a signal")

    uvloop.run(run())
