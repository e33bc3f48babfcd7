"""Write `contracts/` from the code, or check that it is what the code gives: `contracts.py [--check]`.

asyncapi.yaml              every topic with its messages and who sends and receives (AsyncAPI 3.0)
events/*.schema.json       JSON Schema of the envelope and of each payload
openapi/<service>.json     the HTTP side of each service, from its app, which is not started for this
"""

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import yaml
from events import topics
from events.envelope import Envelope
from events.kafka import topic_config
from events.topics import Topic
from pydantic import TypeAdapter
from service_kit.app import VERSION
from service_kit.settings import ServiceSettings

ROOT = Path(__file__).resolve().parent.parent / "contracts"
SERVICES = ("ingest", "learner_profile", "recommendation", "privacy", "insights")
DRAFT = "https://json-schema.org/draft/2020-12/schema"
KEYS = {
    "tenant": "The tenant.",
    "tenant/learner": "`tenant/learner_id`; the learner stands here alone.",
    "tenant/activity": "`tenant/` and the activity's IRI.",
    "tenant/competency": "`tenant/` and the competency's IRI.",
    "tenant/version/since/part": "`tenant/`, the version, when it begins to hold, and the number of the part.",
}


def files() -> dict[Path, str]:
    """Every file of the contract and what should stand in it."""
    found = {ROOT / "asyncapi.yaml": _yaml(asyncapi())}
    found[ROOT / "events" / "envelope.schema.json"] = _json(_schema(Envelope, "What stands around every payload"))
    for topic in topics.ALL:
        found[ROOT / "events" / _schema_name(topic)] = _json(_schema(topic.payload, topic.summary))
    for service in SERVICES:
        found[ROOT / "openapi" / f"{service}.json"] = _json(openapi(service))
    return found


def openapi(service: str) -> dict[str, Any]:
    """The service's OpenAPI document; clients are made when an app starts, not here."""
    app = importlib.import_module(f"{service}.service").SERVICE.app(ServiceSettings())
    document: dict[str, Any] = app.openapi()
    return document


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI document of all topics. An operation for each service that sends or receives."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Trellis events",
            "version": VERSION,
            "description": "Every topic has its dead letters in `<topic>.dlq`. "
            "A schema change that an old consumer cannot read is a new topic version.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in topics.ALL},
        "operations": {name: operation for topic in topics.ALL for name, operation in _operations(topic).items()},
        "components": {"messages": {_message_name(topic): _message(topic) for topic in topics.ALL}},
    }


def _channel(topic: Topic) -> dict[str, Any]:
    config = topic_config(topic)
    kafka: dict[str, Any] = {
        "topic": topic.name,
        "partitions": topics.PARTITIONS,
        "topicConfiguration": {
            "cleanup.policy": [config.get("cleanup.policy", "delete")],
            **({"retention.ms": int(config["retention.ms"])} if "retention.ms" in config else {}),
            **({"delete.retention.ms": int(config["delete.retention.ms"])} if topic.compacted else {}),
            "max.message.bytes": int(config["max.message.bytes"]),
        },
        "bindingVersion": "0.5.0",
    }
    return {
        "address": topic.name,
        "summary": topic.summary,
        "messages": {_message_name(topic): {"$ref": f"#/components/messages/{_message_name(topic)}"}},
        "bindings": {"kafka": kafka},
        "x-owner": topic.owner,
        "x-created-by": creator(topic),
    }


def creator(topic: Topic) -> str:
    """The service whose `init` creates the topic."""
    [service] = [service for service in SERVICES if topic in topics.of_service(service)]
    return service


def senders(topic: Topic) -> tuple[str, ...]:
    """The services that publish; every service that carries out decisions gives receipts."""
    if topic.owner == "all services":
        return SERVICES
    return (topic.owner,) if topic.owner in SERVICES else tuple(s for s in SERVICES if s not in topic.consumers)


def _operations(topic: Topic) -> dict[str, Any]:
    sent = {f"{service}.send.{topic.name}": _operation(topic, "send", service) for service in senders(topic)}
    read = {f"{service}.receive.{topic.name}": _operation(topic, "receive", service) for service in topic.consumers}
    return sent | read


def _operation(topic: Topic, action: str, service: str) -> dict[str, Any]:
    channel = f"#/channels/{topic.name}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{_message_name(topic)}"}],
        "tags": [{"name": service}],
    }


def _message(topic: Topic) -> dict[str, Any]:
    payload = {
        "allOf": [{"$ref": "events/envelope.schema.json"}],
        "properties": {"type": {"const": topic.message_type}, "data": {"$ref": f"events/{_schema_name(topic)}"}},
    }
    return {
        "name": topic.message_type,
        "summary": topic.summary,
        "contentType": "application/json",
        "payload": payload,
        "bindings": {"kafka": {"key": {"type": "string", "description": KEYS[topic.key]}, "bindingVersion": "0.5.0"}},
    }


def _message_name(topic: Topic) -> str:
    return topic.payload.__name__


def _schema_name(topic: Topic) -> str:
    return f"{topic.name}.schema.json"


def _schema(model: Any, description: str) -> dict[str, Any]:
    schema = TypeAdapter(model).json_schema(mode="validation")
    return {"$schema": DRAFT, "description": description, **schema}


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _yaml(document: Any) -> str:
    head = "# Generated from libs/events by `make contracts`; a test compares.\n"
    return head + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def differing(found: dict[Path, str]) -> list[Path]:
    """Files that are missing, stand there needlessly, or differ."""
    held = {path for path in ROOT.rglob("*") if path.suffix in {".json", ".yaml"}}
    wrong = {path for path, text in found.items() if not path.exists() or path.read_text(encoding="utf-8") != text}
    return sorted(wrong | (held - found.keys()))


def main() -> None:
    parser = argparse.ArgumentParser(description="Write contracts/ from the code")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where files differ from the code")
    arguments = parser.parse_args()
    found = files()
    wrong = differing(found)
    if arguments.check:
        sys.exit("".join(f"{path} differs from the code: run `make contracts`\n" for path in wrong) or None)
    for path in wrong:
        if path in found:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(found[path], encoding="utf-8")
        else:
            path.unlink()
        sys.stdout.write(f"{path.relative_to(ROOT.parent)}\n")


if __name__ == "__main__":
    main()
