"""The Kubernetes manifests: valid, complete, and as careful everywhere as they are anywhere."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import pytest
import yaml
from devstack.programs import SERVICES, Program, all_programs

from scripts import reference

K8S: Final = Path(__file__).parents[3] / "k8s"
BASE: Final = K8S / "base"
OVERLAY: Final = K8S / "overlays" / "example"
VERSIONS: Final = ("1.30", kubernetes_validate.latest_version())
SECURE_POD: Final = {
    "runAsNonRoot": True,
    "runAsUser": 10001,
    "runAsGroup": 10001,
    "seccompProfile": {"type": "RuntimeDefault"},
}
SECURE_CONTAINER: Final = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
Manifest = dict[str, Any]


def manifests(folder: Path) -> list[tuple[str, Manifest]]:
    """(file, manifest) of everything that the folder's kustomization builds from."""
    files = [path for path in sorted(folder.glob("*.yaml")) if path.name != "kustomization.yaml"]
    return [(path.name, manifest) for path in files for manifest in yaml.safe_load_all(path.read_text())]


ALL: Final = [*manifests(BASE), *manifests(OVERLAY)]
DEPLOYMENTS: Final = {m["metadata"]["name"]: m for _, m in ALL if m["kind"] == "Deployment"}
JOBS: Final = {m["metadata"]["name"]: m for _, m in ALL if m["kind"] == "Job"}
SETTINGS: Final[dict[str, str]] = next(m["data"] for f, m in manifests(BASE) if m["kind"] == "ConfigMap")


def deployment_name(program: Program) -> str:
    return f"{program.service}-{program.role}".replace("_", "-")


def pod(manifest: Manifest) -> Manifest:
    spec: Manifest = manifest["spec"]["template"]["spec"]
    return spec


def container(manifest: Manifest) -> Manifest:
    (only,) = pod(manifest)["containers"]
    found: Manifest = only
    return found


@pytest.mark.parametrize(("file", "manifest"), ALL, ids=lambda v: v if isinstance(v, str) else v["metadata"]["name"])
def test_valid_for_the_oldest_and_the_newest_version(file: str, manifest: Manifest) -> None:
    for version in VERSIONS:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_kinds_and_names_are_unique() -> None:
    names = [(m["kind"], m["metadata"]["name"]) for _, m in manifests(BASE)]
    assert len(names) == len(set(names))


class TestEveryRoleRuns:
    def test_the_list_of_programs_is_that_of_the_services(self) -> None:
        declared = {
            (name, role)
            for name in SERVICES
            for role in ("serve", *importlib.import_module(f"{name}.service").SERVICE.workers)
        }
        assert declared == {(program.service, program.role) for program in all_programs()}

    def test_one_deployment_for_each_role(self) -> None:
        assert set(DEPLOYMENTS) == {deployment_name(program) for program in all_programs()}
        for program in all_programs():
            found = container(DEPLOYMENTS[deployment_name(program)])
            assert found["args"] == [program.service, program.role]

    def test_one_init_job_for_each_service(self) -> None:
        assert {name: container(job)["args"] for name, job in JOBS.items()} == {
            f"{service.replace('_', '-')}-init": [service, "init"] for service in SERVICES
        }

    def test_one_service_for_each_that_answers(self) -> None:
        services = {m["metadata"]["name"]: m["spec"]["selector"] for _, m in ALL if m["kind"] == "Service"}
        assert set(services) == {service.replace("_", "-") for service in SERVICES}
        for name, selector in services.items():
            assert selector == DEPLOYMENTS[f"{name}-serve"]["spec"]["template"]["metadata"]["labels"]


@pytest.mark.parametrize("manifest", [*DEPLOYMENTS.values(), *JOBS.values()], ids=lambda m: m["metadata"]["name"])
class TestEveryPod:
    def test_has_no_more_rights_than_it_needs(self, manifest: Manifest) -> None:
        assert pod(manifest)["securityContext"] == SECURE_POD
        assert container(manifest)["securityContext"] == SECURE_CONTAINER
        assert pod(manifest)["serviceAccountName"] == "trellis"
        assert pod(manifest)["automountServiceAccountToken"] is False
        assert pod(manifest)["enableServiceLinks"] is False

    def test_has_bounds(self, manifest: Manifest) -> None:
        resources = container(manifest)["resources"]
        assert set(resources["requests"]) == set(resources["limits"]) == {"cpu", "memory"}
        size = "4Gi" if manifest["metadata"]["name"] == "ingest-serve" else "128Mi"  # attachments on their way
        assert pod(manifest)["volumes"] == [{"name": "tmp", "emptyDir": {"sizeLimit": size}}]

    def test_runs_the_one_image(self, manifest: Manifest) -> None:
        assert container(manifest)["image"] == "trellis"

    def test_takes_secrets_by_name(self, manifest: Manifest) -> None:
        service = manifest["metadata"]["labels"]["app.kubernetes.io/name"]
        secrets = {e["name"]: e["valueFrom"]["secretKeyRef"] for e in container(manifest)["env"]}
        assert secrets.pop("TRELLIS_MONGODB_URL") == {"name": f"trellis-mongodb-{service}", "key": "url"}
        assert secrets.pop("TRELLIS_VAULT_TOKEN") == {"name": f"trellis-vault-{service}", "key": "token"}
        if manifest["metadata"]["name"] != "privacy-init":  # which knows by itself whose key is which
            own = {"name": f"trellis-service-token-{service}", "key": "token"}
            assert secrets.pop("TRELLIS_SERVICE_TOKEN") == own
        assert set(secrets) == set()


@pytest.mark.parametrize("manifest", DEPLOYMENTS.values(), ids=lambda m: m["metadata"]["name"])
class TestEveryDeployment:
    def test_has_its_three_probes(self, manifest: Manifest) -> None:
        found = container(manifest)
        paths = {"startupProbe": "/health/live", "livenessProbe": "/health/live", "readinessProbe": "/health/ready"}
        for probe, path in paths.items():
            assert found[probe]["httpGet"] == {"path": path, "port": "http"}
        assert found["ports"] == [{"name": "http", "containerPort": int(SETTINGS["TRELLIS_PORT"])}]

    def test_selects_its_own_pods_alone(self, manifest: Manifest) -> None:
        labels = manifest["spec"]["template"]["metadata"]["labels"]
        assert manifest["spec"]["selector"]["matchLabels"] == labels
        assert manifest["metadata"]["labels"] == labels
        assert (
            f"{labels['app.kubernetes.io/name']}-{labels['app.kubernetes.io/component']}"
            == (manifest["metadata"]["name"])
        )

    def test_is_not_disrupted_as_a_whole(self, manifest: Manifest) -> None:
        budgets = {m["metadata"]["name"]: m["spec"] for _, m in ALL if m["kind"] == "PodDisruptionBudget"}
        name = manifest["metadata"]["name"]
        assert (name in budgets) == (manifest["spec"]["replicas"] > 1)
        if name in budgets:
            assert budgets[name] == {"maxUnavailable": 1, "selector": manifest["spec"]["selector"]}

    def test_has_no_more_replicas_than_partitions(self, manifest: Manifest) -> None:
        assert manifest["spec"]["replicas"] <= int(SETTINGS["TRELLIS_TOPIC_PARTITIONS"])


def test_no_secret_is_contained() -> None:
    assert "Secret" not in {m["kind"] for _, m in ALL}
    secret = {"TRELLIS_MONGODB_URL", "TRELLIS_SERVICE_TOKEN", "TRELLIS_VAULT_TOKEN"}
    assert secret.isdisjoint(SETTINGS)
    for _, manifest in ALL:
        if manifest["kind"] in {"Deployment", "Job"}:
            assert all("value" not in entry for entry in container(manifest)["env"])


def test_every_variable_is_a_setting() -> None:
    overlay = next(m["data"] for f, m in manifests(OVERLAY) if m["kind"] == "ConfigMap")
    variables = set(SETTINGS) | set(overlay)
    variables |= {e["name"] for m in [*DEPLOYMENTS.values(), *JOBS.values()] for e in container(m)["env"]}
    assert variables <= reference.names()


def test_the_settings_have_valid_values(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    for _, settings_class in reference.settings_classes():
        settings_class()


class TestNetwork:
    policies: Final = {m["metadata"]["name"]: m["spec"] for _, m in ALL if m["kind"] == "NetworkPolicy"}

    def test_nothing_by_default(self) -> None:
        assert self.policies["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}

    def test_what_takes_requests_cannot_reach_kafka(self) -> None:
        (roles,) = [
            e["values"]
            for e in self.policies["kafka"]["podSelector"]["matchExpressions"]
            if e["key"] == "app.kubernetes.io/component"
        ]
        assert set(roles) == {"init", *(p.role for p in all_programs() if p.role != "serve")}

    def test_only_named_pods_are_let_in(self) -> None:
        let_in = [spec for spec in self.policies.values() if spec.get("ingress")]
        assert let_in
        for spec in let_in:
            assert spec["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "serve"
            assert all(rule["from"] and rule["ports"] for rule in spec["ingress"])


class TestKustomizations:
    @pytest.mark.parametrize("folder", [BASE, OVERLAY], ids=lambda folder: folder.name)
    def test_list_every_file_and_no_other(self, folder: Path) -> None:
        kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
        listed = [*kustomization["resources"], *(patch["path"] for patch in kustomization.get("patches", []))]
        files = {path.name for path in folder.iterdir()} - {"kustomization.yaml"}
        assert {name for name in listed if not name.startswith("..")} == files
        assert all((folder / name).resolve().exists() for name in listed)

    def test_what_the_overlay_changes_is_in_the_base(self) -> None:
        kustomization = yaml.safe_load((OVERLAY / "kustomization.yaml").read_text())
        assert {image["name"] for image in kustomization["images"]} == {"trellis"}
        assert {entry["name"] for entry in kustomization["replicas"]} <= set(DEPLOYMENTS)
        base = {(m["kind"], m["metadata"]["name"]) for _, m in manifests(BASE)}
        patches = [yaml.safe_load((OVERLAY / patch["path"]).read_text()) for patch in kustomization["patches"]]
        assert {(patch["kind"], patch["metadata"]["name"]) for patch in patches} <= base

    def test_the_ingress_leads_to_services_that_are_there(self) -> None:
        services = {m["metadata"]["name"] for _, m in ALL if m["kind"] == "Service"}
        (ingress,) = [m for _, m in ALL if m["kind"] == "Ingress"]
        backends = {p["backend"]["service"]["name"] for rule in ingress["spec"]["rules"] for p in rule["http"]["paths"]}
        assert backends == services
        assert {rule["host"] for rule in ingress["spec"]["rules"]} == set(ingress["spec"]["tls"][0]["hosts"])
