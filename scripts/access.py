"""Write `k8s/access/` from the code, or check that it is what the code gives: `access.py [--check]`.

kafka-users.yaml     a KafkaUser (Strimzi) for each service: writes what it sends, reads what it consumes
mongodb-users.yaml   a user for each service (MongoDB Kubernetes operator, `spec.users`): its own database alone
kustomization.yaml   a component that gives each service's processes the user that is theirs, and the audit's keys
                     (Secret `trellis-audit`: `pseudonym-key`; `signing-key`, 32 random bytes in base64)
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import yaml
from devstack.programs import Program, all_programs
from events import topics
from events.topics import Topic

from scripts.contracts import SERVICES, creator, senders

ROOT = Path(__file__).resolve().parent.parent / "k8s" / "access"
CLUSTER = "trellis"
BOOTSTRAP = "trellis-kafka-bootstrap.kafka.svc:9093"
CA_FOLDER = "/etc/trellis/kafka-ca"
HEAD = "# Written by scripts/access.py from the topics' registry: do not edit.\n"


def files() -> dict[Path, str]:
    """Every file and what should stand in it."""
    kafka = [_kafka_user(service) for service in SERVICES]
    return {
        ROOT / "kafka-users.yaml": HEAD + yaml.safe_dump_all(kafka, sort_keys=False),
        ROOT / "mongodb-users.yaml": HEAD + yaml.safe_dump({"users": [_mongodb_user(s) for s in SERVICES]}),
        ROOT / "kustomization.yaml": HEAD + yaml.safe_dump(_component(), sort_keys=False),
    }


def rules(service: str) -> list[dict[str, Any]]:
    """What a service may do on Kafka."""
    found = [_topic(topic.name, "Write", "Describe") for topic in topics.ALL if service in senders(topic)]
    for topic in topics.ALL:
        if service in topic.consumers:
            found += [_topic(topic.name, "Read", "Describe"), _topic(topic.dead_letters, "Write", "Describe")]
    found += [
        _topic(name, "Create", "Describe") for topic in topics.ALL if creator(topic) == service for name in _both(topic)
    ]
    return [
        *found,
        {"resource": {"type": "group", "name": f"{service}.", "patternType": "prefix"}, "operations": ["Read"]},
    ]


def _both(topic: Topic) -> tuple[str, str]:
    return topic.name, topic.dead_letters


def _topic(name: str, *operations: str) -> dict[str, Any]:
    return {"resource": {"type": "topic", "name": name, "patternType": "literal"}, "operations": list(operations)}


def _user(service: str) -> str:
    return f"trellis-{service.replace('_', '-')}"


def _kafka_user(service: str) -> dict[str, Any]:
    return {
        "apiVersion": "kafka.strimzi.io/v1beta2",
        "kind": "KafkaUser",
        "metadata": {"name": _user(service), "labels": {"strimzi.io/cluster": CLUSTER}},
        "spec": {
            "authentication": {"type": "scram-sha-512"},
            "authorization": {"type": "simple", "acls": rules(service)},
        },
    }


def _mongodb_user(service: str) -> dict[str, Any]:
    name = _user(service)
    return {
        "name": name,
        "db": "admin",
        "passwordSecretRef": {"name": f"{name}-mongodb-password"},
        "roles": [{"name": "readWrite", "db": service}],
        "scramCredentialsSecretName": f"{name}-scram",
    }


def _component() -> dict[str, Any]:
    settings = {"data": {"TRELLIS_KAFKA_BOOTSTRAP": BOOTSTRAP, "TRELLIS_KAFKA_CA_FILE": f"{CA_FOLDER}/ca.crt"}}
    port = [{"op": "replace", "path": "/spec/egress/0/ports/0/port", "value": 9093}]
    return {
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        "patches": [
            _patch("ConfigMap", {"name": "trellis-settings"}, settings),
            {"target": {"kind": "NetworkPolicy", "name": "kafka"}, "patch": yaml.safe_dump(port)},
            *(_patch_of(program) for program in all_programs()),
            *(_patch_of(Program(service, "init")) for service in SERVICES),
        ],
    }


def _patch(kind: str, target: dict[str, str], change: dict[str, Any]) -> dict[str, Any]:
    version = {"ConfigMap": "v1", "Job": "batch/v1"}.get(kind, "apps/v1")
    text = yaml.safe_dump({"apiVersion": version, "kind": kind, "metadata": {"name": "any"}, **change})
    return {"target": {"kind": kind, **target}, "patch": text}


def _patch_of(program: Program) -> dict[str, Any]:
    labels = {"name": program.service.replace("_", "-"), "component": program.role}
    selector = ",".join(f"app.kubernetes.io/{key}={value}" for key, value in labels.items())
    kind = "Job" if program.role == "init" else "Deployment"
    return _patch(kind, {"labelSelector": selector}, _pods(program))


def _pods(program: Program) -> dict[str, Any]:
    if program.role == "serve":  # needs no Kafka
        return {"spec": {"template": {"spec": {"containers": [{"name": "serve", "env": _keys(program)}]}}}}
    password = {"secretKeyRef": {"name": _user(program.service), "key": "password"}}
    container = {
        "name": program.role,
        "env": [
            {"name": "TRELLIS_KAFKA_USER", "value": _user(program.service)},
            {"name": "TRELLIS_KAFKA_PASSWORD", "valueFrom": password},
            *_keys(program),
        ],
        "volumeMounts": [{"name": "kafka-ca", "mountPath": CA_FOLDER, "readOnly": True}],
    }
    volume = {"name": "kafka-ca", "secret": {"secretName": f"{CLUSTER}-cluster-ca-cert"}}
    return {"spec": {"template": {"spec": {"containers": [container], "volumes": [volume]}}}}


def _keys(program: Program) -> list[dict[str, Any]]:
    """The audit's pseudonyms are made by all; privacy alone signs."""
    names = {"TRELLIS_AUDIT_PSEUDONYM_KEY": "pseudonym-key"}
    if program.service == "privacy":
        names["TRELLIS_SIGNING_KEY"] = "signing-key"
    return [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": "trellis-audit", "key": key}}}
        for name, key in names.items()
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file differs")
    check = parser.parse_args().check
    differing = [path for path, text in files().items() if not path.exists() or path.read_text() != text]
    for path in differing:
        sys.stdout.write(f"{path.relative_to(ROOT.parent.parent)}\n")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files()[path])
    return 1 if check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
