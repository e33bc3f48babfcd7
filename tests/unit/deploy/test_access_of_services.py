"""Each service's own users for Kafka and MongoDB: what it needs, as the topics' registry says, and nothing else."""

from __future__ import annotations

import importlib
from typing import Any, Final

import pytest
import yaml
from devstack.programs import SERVICES
from events import topics
from events.kafka import Kafka

from scripts import access

FILES: Final = {path.name: path for path in access.files()}


def loaded(name: str) -> Any:
    return list(yaml.safe_load_all(FILES[name].read_text()))


def may(service: str) -> dict[str, set[str]]:
    """Topic → operations, as the file gives them."""
    name = f"trellis-{service.replace('_', '-')}"
    [user] = [one for one in loaded("kafka-users.yaml") if one["metadata"]["name"] == name]
    found: dict[str, set[str]] = {}
    for rule in user["spec"]["authorization"]["acls"]:
        if rule["resource"]["type"] == "topic":
            assert rule["resource"]["patternType"] == "literal"
            found.setdefault(rule["resource"]["name"], set()).update(rule["operations"])
    return found


def test_the_files_are_what_the_registry_gives() -> None:
    assert {path.name: path.read_text() for path in access.files()} == {p.name: t for p, t in access.files().items()}


def test_whoever_may_read_is_a_consumer() -> None:
    readers = {
        topic.name: {service for service in SERVICES if "Read" in may(service).get(topic.name, set())}
        for topic in topics.ALL
    }
    assert readers == {topic.name: set(topic.consumers) for topic in topics.ALL}


def test_nobody_reads_dead_letters() -> None:
    assert not [
        (service, topic)
        for service in SERVICES
        for topic, operations in may(service).items()
        if topic.endswith(".dlq") and "Read" in operations
    ]


@pytest.mark.parametrize("topic", ["xapi.statements.v1", "learner.profiles.v1", "privacy.requests.v1"])
def test_one_service_alone_writes_what_all_believe(topic: str) -> None:
    writers = [service for service in SERVICES if "Write" in may(service).get(topic, set())]
    owners = [one.owner for one in topics.ALL if one.name == topic]
    assert writers == owners


def test_nobody_may_do_everything() -> None:
    text = FILES["kafka-users.yaml"].read_text()
    assert "- All" not in text
    assert "name: '*'" not in text
    assert "Delete" not in text


def test_each_database_has_one_user() -> None:
    [document] = loaded("mongodb-users.yaml")
    roles = {user["name"]: user["roles"] for user in document["users"]}
    names = {importlib.import_module(f"{service}.service").SERVICE.name for service in SERVICES}
    assert roles == {f"trellis-{name.replace('_', '-')}": [{"name": "readWrite", "db": name}] for name in names}


def variables() -> dict[tuple[str, str], dict[str, Any]]:
    """(selector, role) → the variables that the component gives."""
    [component] = loaded("kustomization.yaml")
    found = {}
    for patch in component["patches"]:
        if "labelSelector" in patch["target"]:
            [container] = yaml.safe_load(patch["patch"])["spec"]["template"]["spec"]["containers"]
            found[patch["target"]["labelSelector"], container["name"]] = {one["name"]: one for one in container["env"]}
    return found


def test_every_process_that_needs_kafka_is_given_its_user() -> None:
    given = {place: env["TRELLIS_KAFKA_USER"]["value"] for place, env in variables().items() if place[1] != "serve"}
    assert len(given) == 12
    for (selector, role), user in given.items():
        assert selector == f"app.kubernetes.io/name={user.removeprefix('trellis-')},app.kubernetes.io/component={role}"


def test_all_make_pseudonyms_and_privacy_alone_signs() -> None:
    assert all("TRELLIS_AUDIT_PSEUDONYM_KEY" in env for env in variables().values())
    signers = {selector for (selector, _), env in variables().items() if "TRELLIS_SIGNING_KEY" in env}
    assert signers == {
        f"app.kubernetes.io/name=privacy,app.kubernetes.io/component={role}" for role in ("serve", "work", "init")
    }


def test_a_user_means_an_encrypted_connection() -> None:
    assert Kafka("k:9092").security() == {}
    given = Kafka("k:9093", user="trellis-ingest", password="secret").security()
    assert given["security_protocol"] == "SASL_SSL"
    assert given["ssl_context"].check_hostname
    assert "secret" not in repr(Kafka("k:9093", user="trellis-ingest", password="secret"))
