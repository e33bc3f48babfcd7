"""`contracts/` is what the code says, and what the code says is a contract."""

from __future__ import annotations

import importlib.util
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from events import topics
from events.envelope import Outgoing, encode
from events.payloads import (
    AuditAction,
    Audited,
    ConsentState,
    ConsentStatus,
    Decision,
    LearnerProfile,
    Policy,
    Receipt,
    Request,
)
from events.sealing import ClearSealer
from events.topics import Topic
from jsonschema import Draft202012Validator
from pydantic import BaseModel

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def _generator() -> Any:
    spec = importlib.util.spec_from_file_location("contracts_generator", ROOT / "scripts" / "contracts.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def generator() -> Any:
    return _generator()


@pytest.fixture(scope="module")
def asyncapi() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "contracts" / "asyncapi.yaml").read_text(encoding="utf-8"))
    return document


def schema_of(topic: Topic) -> dict[str, Any]:
    path = ROOT / "contracts" / "events" / f"{topic.name}.schema.json"
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def test_committed_files_are_what_the_code_gives(generator: Any) -> None:
    wrong = [str(path.relative_to(ROOT)) for path in generator.differing(generator.files())]
    assert wrong == [], "run `make contracts` and commit what changes"


class TestAsyncApi:
    def test_version_and_sections(self, asyncapi: dict[str, Any]) -> None:
        assert asyncapi["asyncapi"] == "3.0.0"
        assert {"info", "channels", "operations", "components"} <= set(asyncapi)

    def test_every_reference_leads_somewhere(self, asyncapi: dict[str, Any]) -> None:
        for reference in references(asyncapi):
            file, _, pointer = reference.partition("#")
            if file:
                assert (ROOT / "contracts" / file).is_file(), reference
                continue
            node: Any = asyncapi
            for part in pointer.strip("/").split("/"):
                node = node[part.replace("~1", "/").replace("~0", "~")]
            assert node, reference

    def test_operations_name_messages_of_their_channel(self, asyncapi: dict[str, Any]) -> None:
        for name, operation in asyncapi["operations"].items():
            service, action, topic = name.split(".", 2)
            assert operation["action"] == action
            assert operation["channel"]["$ref"] == f"#/channels/{topic}"
            assert operation["tags"] == [{"name": service}]
            for message in operation["messages"]:
                assert message["$ref"].startswith(f"#/channels/{topic}/messages/")

    @pytest.mark.parametrize("service", ["ingest", "learner_profile", "recommendation", "privacy", "insights"])
    def test_init_creates_what_the_contract_gives_that_service(self, asyncapi: dict[str, Any], service: str) -> None:
        given = {name for name, channel in asyncapi["channels"].items() if channel["x-created-by"] == service}
        assert {topic.name for topic in topics.of_service(service)} == given

    def test_every_topic_is_created_by_one_service_with_the_same_partitions(self, asyncapi: dict[str, Any]) -> None:
        assert set(asyncapi["channels"]) == {topic.name for topic in topics.ALL}
        kafka = [channel["bindings"]["kafka"] for channel in asyncapi["channels"].values()]
        assert {binding["partitions"] for binding in kafka} == {topics.PARTITIONS}

    def test_the_learner_stands_in_the_key_alone(self) -> None:
        for topic in topics.ALL:
            names = set(property_names(schema_of(topic)))
            if topic in (topics.POLICIES, topics.RECEIPTS):
                names.discard("name")  # of the controller and of recipients, which are no learners
            assert not names & {"learner_id", "learner", "agent_id", "name", "mbox"}, topic.name


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [found for value in node.values() for found in references(value)]
    return [found for value in node for found in references(value)] if isinstance(node, list) else []


def property_names(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = list(node.get("properties", {}))
        return own + [found for value in node.values() for found in property_names(value)]
    return [found for value in node for found in property_names(value)] if isinstance(node, list) else []


EXAMPLES: list[tuple[Topic, BaseModel]] = [
    (
        topics.POLICIES,
        Policy.model_validate({"version": 1, "purposes": {"record": {"basis": "contract", "unknown": "allowed"}}}),
    ),
    (
        topics.CONSENTS,
        ConsentState(version=2, purposes={"profile": Decision(status=ConsentStatus.objected, since=NOW)}),
    ),
    (topics.CONSENTS, ConsentState(version=3, erased=True)),
    (topics.REQUESTS, Request(request_id="r", type="erasure")),
    (topics.RECEIPTS, Receipt(service="ingest", kind="consent", version=2, completed_at=NOW)),
    (topics.PROFILES, LearnerProfile(version=1)),
    (
        topics.AUDIT,
        Audited(service="ingest", action=AuditAction.saw, what="profile", roles=["app"], by="someone", at=NOW),
    ),
]


class TestSchemas:
    @pytest.mark.parametrize("topic", topics.ALL, ids=lambda topic: topic.name)
    def test_valid_schemas(self, topic: Topic) -> None:
        Draft202012Validator.check_schema(schema_of(topic))

    @pytest.mark.parametrize(("topic", "payload"), EXAMPLES)
    async def test_what_is_sent_is_what_the_schemas_say(self, topic: Topic, payload: BaseModel) -> None:
        [value] = await encode([Outgoing(topic, "id", "demo", "learner", NOW, payload)], ClearSealer())
        message = orjson.loads(value or b"")
        envelope = json.loads((ROOT / "contracts/events/envelope.schema.json").read_text(encoding="utf-8"))
        Draft202012Validator(envelope).validate(message)
        Draft202012Validator(schema_of(topic)).validate(message["data"])
        assert set(message) == {"id", "type", "tenant", "occurred_at", "traceparent", "key", "data"}

    def test_a_wrong_payload_is_refused(self) -> None:
        assert not Draft202012Validator(schema_of(topics.REQUESTS)).is_valid({"request_id": "r", "type": "oblivion"})


# Whoever holds the address may ask it, once: cmi5 has it so; whoever holds a certificate can check it.
OPEN = {"/launches/{launch_id}/fetch", "/certificates/keys"}


class TestOpenApi:
    @pytest.mark.parametrize("service", ["ingest", "learner_profile", "recommendation", "privacy", "insights"])
    def test_errors_are_problems_and_nothing_is_open(self, service: str) -> None:
        document = json.loads((ROOT / "contracts" / "openapi" / f"{service}.json").read_text(encoding="utf-8"))
        assert document["paths"]
        for path, operations in document["paths"].items():
            for operation in operations.values():
                assert "422" not in operation["responses"]
                assert "application/problem+json" in operation["responses"]["default"]["content"]
                if not path.startswith("/xapi/") and path not in OPEN:
                    assert {"bearer": []} in operation["security"], path
                    assert {} not in operation["security"], path
