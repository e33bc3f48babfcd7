"""The whole of Trellis on one machine: MongoDB, Kafka, every process of every service."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import httpx2
from pymongo import MongoClient

from devstack.errors import AlreadyRunning, CannotStart, PortTaken
from devstack.forking import Nursery
from devstack.infrastructure import Kafka, Mongo, kafka_broker, mongo_server
from devstack.issuer import YEAR_SECONDS, Issuer
from devstack.leftovers import Leftovers
from devstack.ports import LOOPBACK, free_port, is_free
from devstack.private_files import key_in, write_private
from devstack.process import Child, Handle, launch
from devstack.programs import SERVICES, Program, all_programs
from devstack.supervisor import Supervisor
from devstack.tenant import TENANT, Credential, TenantSetup
from devstack.ways import Ways, ways_here

READY_SECONDS = 120.0
INIT_SECONDS = 120.0
_HOPELESS_FAILURES = 3

Progress = Callable[[str], None]


class Stack:
    """Starts and stops everything; its data, logs and secrets live in one folder.

    >>> with Stack(folder) as stack:          # free ports
    ...     stack.urls["ingest"]
    ...     stack.kill("kafka")               # SIGKILL; it is started again
    ...     stack.stop_program("kafka"); stack.start_program("kafka")

    Start it from the main thread: its programs end with the thread that started them.
    """

    def __init__(
        self,
        data: Path,
        *,
        ports: Mapping[str, int] | None = None,
        ways: Ways | None = None,
        namespace: str | None = None,
        catalog: bool = True,
        programs: Sequence[Program] | None = None,
        environment: Mapping[str, str] | None = None,
        fork: bool = sys.platform == "linux",
        progress: Progress = lambda _: None,
    ) -> None:
        """`ports` (service → port) are demanded; without them free ones are taken. `environment` is added to every
        program's. `namespace` prefixes databases and topics: for a MongoDB or Kafka shared with others.
        `fork`: see `nursery`."""
        self.data = data.resolve()
        self.programs = list(all_programs() if programs is None else programs)
        self.supervisor = Supervisor()
        self.credential = Credential("", "")
        self.operator_token = ""
        self._demanded_ports = dict(ports) if ports else {}
        self._ways = ways or ways_here()
        self._namespace = namespace if namespace is not None else os.environ.get("TRELLIS_NAMESPACE", "")
        self._catalog = catalog
        self._environment = dict(environment or {})
        self._progress = progress
        self._nursery = Nursery(self.logs / "nursery.log") if fork else None
        self._lock: IO[str] | None = None
        self._mongo: Mongo | None = None
        self._kafka: Kafka | None = None
        self._ports: dict[str, int] = {}
        self.issuer: Issuer

    # Addresses

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def file(self) -> Path:
        """stack.json: there while the stack is ready."""
        return self.data / "stack.json"

    @property
    def mongodb_url(self) -> str:
        return self._mongo.url if self._mongo else str(self._ways.mongodb_url)

    @property
    def kafka_bootstrap(self) -> str:
        return self._kafka.bootstrap if self._kafka else str(self._ways.kafka_bootstrap)

    @property
    def namespace(self) -> str:
        return self._namespace

    @property
    def urls(self) -> dict[str, str]:
        """The base URL of each service that runs."""
        return {name: f"http://{LOOPBACK}:{port}" for name, port in self._ports.items() if name in SERVICES}

    def health_url(self, name: str) -> str:
        """The base URL at which a program (also a worker) tells its health."""
        return f"http://{LOOPBACK}:{self._ports[name]}"

    def description(self) -> dict[str, Any]:
        """What stack.json holds."""
        urls = self.urls
        ingest = {"url": urls.get("ingest"), "xapi": f"{urls.get('ingest')}/xapi"}
        return {
            "mongodb": self.mongodb_url,
            "kafka": self.kafka_bootstrap,
            "ingest": {**ingest, "key": self.credential.key, "secret": self.credential.secret},
            **{name: {"url": urls[name]} for name in SERVICES if name in urls and name != "ingest"},
            "operator_token": self.operator_token,
            "tenant": TENANT,
        }

    # Life

    def __enter__(self) -> Stack:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Everything up and ready, the tenant filled, stack.json written. What was started is stopped on a failure."""
        self._take_lock()
        try:
            self._choose_ports()
            if self._nursery is not None and self.programs:
                self._nursery.start()
            self._start_infrastructure()
            self._start_programs()
            self._fill_tenant()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Services first, then Kafka, then MongoDB; waits for each. May be called twice."""
        self.file.unlink(missing_ok=True)
        infrastructure = {"kafka", "mongod"}
        self.supervisor.stop(*(name for name in self.supervisor.names() if name not in infrastructure))
        self.supervisor.stop(*(name for name in self.supervisor.names() if name == "kafka"), grace_seconds=40)
        self.supervisor.stop(*(name for name in self.supervisor.names() if name == "mongod"), grace_seconds=40)
        self.supervisor.close()
        if self._nursery is not None:
            self._nursery.stop()
        for server in (self._kafka, self._mongo):
            if server is not None:
                server.stop()
        if self._lock is not None:
            Leftovers(self.data).forget()
            self._lock.close()
            self._lock = None

    # Chaos

    def names(self) -> list[str]:
        """Of all programs that can be killed: mongod, kafka (where they are ours) and the services' processes."""
        return self.supervisor.names()

    def pids(self) -> dict[str, int]:
        return self.supervisor.pids()

    def kill(self, name: str, *, restart: bool = True) -> None:
        """SIGKILL to one program; restart=False leaves it dead until `start_program`."""
        self.supervisor.kill(name, restart=restart)

    def stop_program(self, name: str) -> None:
        """SIGTERM to one program, which stays away until `start_program`."""
        self.supervisor.stop(name)

    def start_program(self, name: str) -> None:
        """Start a program that was stopped or killed; `wait_ready` waits for it."""
        self.supervisor.start(name)

    def wait_ready(self, *names: str, timeout_seconds: float = READY_SECONDS) -> None:
        """Until each program (all, where none is named) says that it is ready."""
        waiting = list(names or (program.name for program in self.programs))
        deadline = time.monotonic() + timeout_seconds
        with httpx2.Client(timeout=2) as http:
            while waiting := [name for name in waiting if not self._is_ready(http, name)]:
                if time.monotonic() > deadline:
                    logs = ", ".join(str(self.logs / f"{name}.log") for name in waiting)
                    raise CannotStart(f"not ready within {timeout_seconds:.0f} s: {', '.join(waiting)} (see {logs})")
                time.sleep(0.1)

    def _is_ready(self, http: httpx2.Client, name: str) -> bool:
        if name == "mongod" and self._mongo is not None:
            return self._mongo.ready()
        if name == "kafka" and self._kafka is not None:
            return self._kafka.ready()
        if self.supervisor.failures(name) >= _HOPELESS_FAILURES:
            raise CannotStart(f"{name} ends again and again: {last_line(self.logs / f'{name}.log')}")
        try:
            return http.get(f"{self.health_url(name)}/health/ready").status_code == httpx2.codes.OK
        except httpx2.TransportError:
            return False

    # Steps of the start

    def _take_lock(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        lock = (self.data / "supervisor.lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise AlreadyRunning(
                f"a stack is already running on {self.data}: its addresses are in {self.file}; `make down` stops it"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock
        self.file.unlink(missing_ok=True)
        Leftovers(self.data).wait()

    def _choose_ports(self) -> None:
        for service, port in self._demanded_ports.items():
            if not is_free(port):
                raise PortTaken(port, service, "stop it, or set TRELLIS_PORT_BASE to another base")
        for program in self.programs:
            demanded = self._demanded_ports.get(program.name)
            self._ports[program.name] = demanded or self._another_port()

    def _another_port(self) -> int:
        while (port := free_port()) in self._ports.values():
            pass
        return port

    def _start_infrastructure(self) -> None:
        self._progress("starting MongoDB and Kafka")
        if self._ways.mongodb_url is None:
            self._mongo = mongo_server(self._ways.mongodb, self.data / "mongodb", log=self.logs / "mongod.log")
            self._mongo.start()
        if self._ways.kafka_bootstrap is None:
            self._kafka = kafka_broker(self._ways.kafka, self.data / "kafka", log=self.logs / "kafka.log")
            self._kafka.start()
        for server in (self._mongo, self._kafka):
            if server is None:
                continue
            server.wait()
            if server.child is not None:
                self.supervisor.add(server.child)
        Leftovers(self.data).remember(self.pids())

    def _start_programs(self) -> None:
        self.issuer = Issuer.in_folder(self.data / "issuer")
        (self.data / "keys").mkdir(mode=0o700, exist_ok=True)
        self._progress("preparing topics and indexes")
        self._run_init()
        self._progress("starting the services")
        for program in self.programs:
            child = self._child(program.name, program.service, program.role, port=self._ports[program.name])
            child.start()
            self.supervisor.add(child)
        self.supervisor.open()
        Leftovers(self.data).remember(self.pids())
        self.wait_ready()

    def _run_init(self) -> None:
        services = dict.fromkeys(program.service for program in self.programs)
        children = [self._child(f"{service}-init", service, "init", port=0) for service in services]
        for child in children:
            child.start()
        try:
            for child in children:
                if not child.wait(INIT_SECONDS):
                    raise CannotStart(f"{child.name} took over {INIT_SECONDS:.0f} s: see {child.log}")
                if child.exit_code != 0:
                    raise CannotStart(f"{child.name} failed: {last_line(child.log)} (all of it: {child.log})")
        finally:
            for child in children:
                child.stop()

    def _child(self, name: str, module: str, role: str, *, port: int) -> Child:
        command = [sys.executable, "-m", module, role]
        return Child(
            name, command, log=self.logs / f"{name}.log", env=self.environment(module, port=port), launch=self._launch
        )

    def _launch(self, name: str, command: Sequence[str], log: Path, environment: dict[str, str]) -> Handle:
        start = launch if self._nursery is None else self._nursery.launch
        return start(name, command, log, environment)

    def environment(self, service: str, *, port: int = 0) -> dict[str, str]:
        """Of one program: this process's, our addresses, what the caller adds."""
        service_token = self.issuer.token(
            roles=["service"], tenant="*", subject=f"trellis-{service}", service=service, ttl_seconds=YEAR_SECONDS
        )
        ours = {
            "TRELLIS_MONGODB_URL": self.mongodb_url,
            "TRELLIS_KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "TRELLIS_NAMESPACE": self._namespace,
            "TRELLIS_HOST": LOOPBACK,
            "TRELLIS_PORT": str(port),
            "TRELLIS_SERVICE_TOKEN": service_token,
            "TRELLIS_KEY_PROVIDER": "file",
            "TRELLIS_KEY_FILE": str(self.data / "keys" / "buckets.json"),
            **{f"TRELLIS_{name.upper()}_URL": self.urls.get(name, "") for name in SERVICES},
            "TRELLIS_RECORD_ISSUER": self.urls.get("privacy", ""),
            "TRELLIS_RECORD_ISSUERS": _own_records(self.urls.get("privacy", "")),  # so that one can try it
            "TRELLIS_AUDIT_PSEUDONYM_KEY": key_in(self.data / "issuer" / "pseudonym.key"),
            "TRELLIS_SIGNING_KEY": key_in(self.data / "issuer" / "signing.key"),
            "PYTHONUNBUFFERED": "1",
        }
        return {**os.environ, **ours, **self.issuer.environment(), **self._environment}

    def _fill_tenant(self) -> None:
        self.operator_token = self.issuer.token(
            roles=["operator", "dpo", "app"], tenant=TENANT, subject="local-operator", ttl_seconds=YEAR_SECONDS
        )
        if {"ingest", "privacy"} <= set(self.urls):
            self._progress("filling the demo tenant")
            setup = TenantSetup(self.urls, operator_token=self.operator_token, secrets=self.data / "secrets.json")
            self.credential = setup.run(catalog=self._catalog and "recommendation" in self.urls)
            self._wait_for_policy()
        write_private(self.file, (json.dumps(self.description(), indent=1) + "\n").encode())

    def _wait_for_policy(self) -> None:
        """Until every service has the tenant's policy in its view: before, it would answer 503 to the first comer."""
        deadline = time.monotonic() + READY_SECONDS
        with MongoClient[dict[str, Any]](self.mongodb_url) as client:
            views = [
                client[f"{self._namespace}{service}"]["standings"] for service in self.urls if service != "privacy"
            ]
            while not all(view.find_one({"_id": TENANT}) for view in views):
                if time.monotonic() > deadline:
                    raise CannotStart(f"the policy did not reach every service within {READY_SECONDS:.0f} s")
                time.sleep(0.05)


def last_line(log: Path) -> str:
    """Of a log: usually the reason why a program ended."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()] if log.exists() else []
    return lines[-1].strip()[:400] if lines else "it wrote nothing"


def wipe(data: Path) -> None:
    """Remove the data of a stack that does not run."""
    if not data.exists():
        return
    with (data / "supervisor.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AlreadyRunning(
                f"a stack is running on {data}: `make down` stops it, then `make clean` wipes"
            ) from None
        Leftovers(data).wait()
        _remove(data.iterdir())
    (data / "supervisor.lock").unlink(missing_ok=True)
    data.rmdir()


def _remove(entries: Iterable[Path]) -> None:
    for entry in entries:
        if entry.name == "supervisor.lock":
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _own_records(privacy: str) -> str:
    """The records that this stack itself gives out are taken back by it."""
    return json.dumps({f"{privacy}/issuers/{TENANT}": f"{privacy}/certificates/keys"} if privacy else {})
