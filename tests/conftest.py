"""A real MongoDB and a real Kafka for every test: given by the environment, or started once a session on demand."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from devstack.infrastructure import running_kafka, running_mongodb
from devstack.stack import Stack
from devstack.ways import ways_here
from hypothesis import settings
from privacy.keys.directory import OwnDirectory
from service_kit import runtime
from service_kit.keys import making
from service_kit.keys.making import Keys, MakeDirectory
from service_kit.mongo import Database
from service_kit.settings import KeySettings, PeerSettings

from tests.support import cleanup
from tests.support.driving import House
from tests.support.tokens import Tokens

_MONGODB = pytest.StashKey[str]()
_KAFKA = pytest.StashKey[str]()
_QUICK = {"TRELLIS_RETENTION_PORTIONS": "1", "TRELLIS_RETENTION_RECORDS_PER_SECOND": "2000"}
"""A retention rule walks through all learners whom the tests before it have left."""


@pytest.fixture(scope="session")
def mongodb_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A replica set that takes transactions. Name your databases with `namespace`."""
    with running_mongodb(ways_here(), tmp_path_factory.mktemp("mongo")) as url:
        request.config.stash[_MONGODB] = url
        yield url


@pytest.fixture(scope="session")
def kafka_bootstrap(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker that creates no topics by itself. Name topics and groups with `namespace`."""
    with running_kafka(ways_here(), tmp_path_factory.mktemp("kafka")) as bootstrap:
        request.config.stash[_KAFKA] = bootstrap
        yield bootstrap


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    """Makes bearer tokens that a service accepts when it is given `tokens.settings`."""
    return Tokens.in_folder(tmp_path_factory.mktemp("issuer"))


@pytest.fixture
def namespace(pytestconfig: pytest.Config) -> Iterator[str]:
    """A prefix of this test's own for databases, topics and groups; what carries it is dropped afterwards."""
    yield from _namespace(pytestconfig)


@pytest.fixture(scope="module")
def module_namespace(pytestconfig: pytest.Config) -> Iterator[str]:
    """As `namespace`, shared by the tests of a module."""
    yield from _namespace(pytestconfig)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """All of Trellis on free ports with data of its own and the sample catalog. Tests that use it share a worker."""
    yield from _stack(tmp_path_factory.mktemp("stack"))


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[Stack]:
    """As `stack`, for one test alone."""
    yield from _stack(tmp_path / "stack")


@pytest.fixture
def house(stack: Stack) -> Iterator[House]:
    """The stack as its users reach it."""
    with House.of(stack) as house:
        yield house


def pytest_configure() -> None:
    """A console that is made at import would keep the width of whoever's terminal; a test that wants one says so."""
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    # A service alone works in the clear, as no privacy service knows its learners; stacks and tests of keys do not.
    os.environ.setdefault("TRELLIS_KEY_PROVIDER", "none")
    if os.environ.get("TRELLIS_TEST_SEALED"):
        _seal_services_alone()


settings.register_profile("sample", max_examples=25)  # make test-all takes Hypothesis's own number
settings.load_profile("sample")


@pytest.hookimpl(tryfirst=True)  # before the workers read the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a worker takes at a time: a file, so that its fixtures are made once, or all that shares the whole stack.

    The stack comes after the integration tests, and the many short unit tests last: they fill the other worker.
    """
    for item in items:
        item.add_marker(pytest.mark.xdist_group("stack" if _needs_stack(item) else item.path.stem))
    items.sort(key=lambda item: 1 if _needs_stack(item) else 2 if "unit" in item.path.parts else 0)


def _needs_stack(item: pytest.Item) -> bool:
    return "stack" in getattr(item, "fixturenames", ())


def _stack(data: Path) -> Iterator[Stack]:
    ways = ways_here()
    shared = f"t{secrets.token_hex(4)}-" if ways.mongodb_url or ways.kafka_bootstrap else ""
    with Stack(data, ways=ways, namespace=shared, environment=_QUICK) as stack:
        yield stack
    if shared and ways.mongodb_url:
        cleanup.drop_databases(ways.mongodb_url, shared)
    if shared and ways.kafka_bootstrap:
        cleanup.delete_topics(ways.kafka_bootstrap, shared)


def _namespace(config: pytest.Config) -> Iterator[str]:
    prefix = f"t{secrets.token_hex(4)}-"
    yield prefix
    if url := config.stash.get(_MONGODB, None):
        cleanup.drop_databases(url, prefix)
    if bootstrap := config.stash.get(_KAFKA, None):
        cleanup.delete_topics(bootstrap, prefix)


def _seal_services_alone() -> None:
    """With TRELLIS_TEST_SEALED each service's tests run on keys too: every database is then its own directory."""
    os.environ |= {"TRELLIS_KEY_PROVIDER": "file", "TRELLIS_KEY_FILE": f"{tempfile.mkdtemp()}/buckets.json"}
    of_settings = making.keys_of

    def keys_of(
        settings: KeySettings, peers: PeerSettings, db: Database, directory: MakeDirectory | None = None
    ) -> Keys | None:
        return of_settings(settings, peers, db, directory or OwnDirectory.of)

    vars(runtime)["keys_of"] = keys_of  # the composition root's own name for it
