"""The image's recipe and the compose file: every role runs, none as root, none with a secret."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from devstack.programs import SERVICES, all_programs

from scripts import reference

ROOT: Final = Path(__file__).parents[3]
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
CONTAINERS: Final[dict[str, Any]] = COMPOSE["services"]
OURS: Final = {name: c for name, c in CONTAINERS.items() if c["image"].startswith("${TRELLIS_IMAGE")}
DOCKERFILE: Final = (ROOT / "deploy/Dockerfile").read_text()


def packages() -> dict[str, set[str]]:
    """Each workspace package with those that it depends on."""
    found = {}
    for path in [*ROOT.glob("libs/*/pyproject.toml"), *ROOT.glob("services/*/pyproject.toml")]:
        project = tomllib.loads(path.read_text())["project"]
        found[project["name"]] = {re.split(r"[^A-Za-z0-9-]", need)[0] for need in project["dependencies"]}
    return found


class TestDockerfile:
    def test_both_stages_stand_on_the_base_that_is_named(self) -> None:
        assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["${BASE_IMAGE}", "${BASE_IMAGE}"]
        assert re.search(r"^ARG BASE_IMAGE=\S+$", DOCKERFILE, re.MULTILINE)

    def test_runs_as_a_number_that_is_not_root(self) -> None:
        assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]

    def test_knows_every_service(self) -> None:
        named = re.search(r"\$\{SERVICE:-([a-z_ ]+)\}", DOCKERFILE)
        assert named
        assert set(named[1].split()) == set(SERVICES)

    def test_uv_is_of_the_kind_that_wrote_the_lock(self) -> None:
        version = re.search(r"^ARG UV_VERSION=(\S+)$", DOCKERFILE, re.MULTILINE)
        wanted = re.search(r"^UV_WANTED=(\S+)$", (ROOT / "scripts/bootstrap").read_text(), re.MULTILINE)
        assert version
        assert wanted
        assert version[1].startswith(f"{wanted[1]}.")

    def test_the_tools_of_one_machine_stay_out(self) -> None:
        needs = packages()
        wanted = {f"trellis-{service.replace('_', '-')}" for service in SERVICES}
        while more := {need for name in wanted for need in needs[name] if need in needs} - wanted:
            wanted |= more
        assert wanted.isdisjoint({"trellis-cli", "trellis-devstack"})
        ignored = (ROOT / ".dockerignore").read_text().splitlines()
        assert {"*", "libs/cli", "libs/devstack"} <= set(ignored)


class TestCompose:
    def test_one_container_for_each_role(self) -> None:
        commands = sorted(c["command"] for c in OURS.values())
        roles = [[p.service, p.role] for p in all_programs()] + [[service, "init"] for service in SERVICES]
        assert commands == sorted(roles)
        for name, found in OURS.items():
            assert name == "-".join(found["command"]).replace("_", "-")

    @pytest.mark.parametrize("name", OURS)
    def test_no_more_rights_than_needed(self, name: str) -> None:
        found = OURS[name]
        assert found["user"] == "10001:10001"
        assert found["read_only"] is True
        assert found["cap_drop"] == ["ALL"]
        assert found["security_opt"] == ["no-new-privileges:true"]
        assert found["mem_limit"]

    @pytest.mark.parametrize("name", OURS)
    def test_variables_are_settings_and_hold_no_secret(self, name: str) -> None:
        environment = OURS[name]["environment"]
        assert set(environment) <= reference.names()
        own = OURS[name]["command"][0].upper()
        assert environment["TRELLIS_SERVICE_TOKEN"].startswith(f"${{TRELLIS_TOKEN_{own}:?")
        assert "@" not in environment["TRELLIS_MONGODB_URL"]

    def test_roles_wait_for_their_init_and_tell_their_health(self) -> None:
        for name, found in OURS.items():
            if found["command"][1] == "init":
                assert set(found["depends_on"]) == {"kafka", "mongodb-init"}
            else:
                init = f"{found['command'][0].replace('_', '-')}-init"
                assert found["depends_on"] == {init: {"condition": "service_completed_successfully"}}, name
                assert "/health/live" in found["healthcheck"]["test"][-1]

    def test_ports_are_open_to_this_machine_alone(self) -> None:
        published = [port for c in CONTAINERS.values() for port in c.get("ports", [])]
        assert published
        assert all(port.startswith("127.0.0.1:") for port in published)
        assert "ports" not in CONTAINERS["kafka"]
        assert "ports" not in CONTAINERS["mongodb"]

    def test_what_must_be_given_stands_in_the_example(self) -> None:
        text = (ROOT / "deploy/compose.yaml").read_text()
        example = dict(
            line.split("=", 1)
            for line in (ROOT / "deploy/.env.example").read_text().splitlines()
            if "=" in line and not line.startswith("#")
        )
        assert set(re.findall(r"\$\{([A-Z_]+):\?", text)) <= set(example)
        assert example["TRELLIS_TOKEN_PRIVACY"] == ""

    def test_kafka_is_the_one_that_is_tested(self) -> None:
        pom = (ROOT / "libs/devstack/src/devstack/kafka/pom.xml").read_text()
        version = re.search(r"<artifactId>kafka_2.13</artifactId>\s*<version>([^<]+)</version>", pom)
        assert version
        assert CONTAINERS["kafka"]["image"] == f"apache/kafka:{version[1]}"

    def test_the_collector_takes_what_services_send(self) -> None:
        collector = yaml.safe_load((ROOT / "deploy/otel-collector.yaml").read_text())
        port = collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"].rpartition(":")[2]
        endpoint = OURS["ingest-serve"]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"]
        assert endpoint == f"http://otel-collector:{port}"
        for pipeline in collector["service"]["pipelines"].values():
            assert set(pipeline["receivers"]) <= set(collector["receivers"])
            assert set(pipeline["processors"]) <= set(collector["processors"])
            assert set(pipeline["exporters"]) <= set(collector["exporters"])
