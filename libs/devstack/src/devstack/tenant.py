"""What an empty tenant of this machine is given, through the services' own APIs: policy, xAPI credential, catalog."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx2

from devstack.errors import CannotStart
from devstack.private_files import write_private

TENANT = "demo"
CATALOG = Path(__file__).parent / "sample" / "catalog.jsonl"
# An LMS can be tried at once: a public body's task, to which learners may object. Research asks first.
POLICY: dict[str, Any] = {
    "purposes": {
        **{
            purpose: {"basis": "public_task", "unknown": "allowed"}
            for purpose in ("record", "profile", "recommend", "teach", "insights")
        },
        "research": {"basis": "consent", "unknown": "denied"},
    }
}


@dataclass(frozen=True)
class Credential:
    """Of the demo tenant, scope `all`."""

    key: str
    secret: str


class TenantSetup:
    """Fills what is empty and leaves alone what is there; may be run again."""

    def __init__(self, urls: dict[str, str], *, operator_token: str, secrets: Path) -> None:
        self._urls = urls
        self._secrets = secrets
        self._http = httpx2.Client(timeout=30, headers={"Authorization": f"Bearer {operator_token}"})

    def run(self, *, catalog: bool = True) -> Credential:
        """Policy, credential and (where there is none) the sample catalog."""
        with self._http:
            self._ensure_policy()
            credential = self._ensure_credential()
            if catalog:
                self._ensure_catalog()
        return credential

    def _ensure_policy(self) -> None:
        url = f"{self._urls['privacy']}/policy"
        if self._http.get(url).status_code == httpx2.codes.NOT_FOUND:
            _expect(self._http.put(url, json=POLICY), "the demo tenant's policy")

    def _ensure_credential(self) -> Credential:
        kept = self._kept_credential()
        if kept is not None and self._is_known(kept):
            return kept
        url = f"{self._urls['ingest']}/credentials"
        made = _expect(self._http.post(url, json={"name": "local", "scopes": ["all"]}), "an xAPI credential").json()
        credential = Credential(key=made["key"], secret=made["secret"])
        write_private(self._secrets, json.dumps(asdict(credential)).encode())
        return credential

    def _kept_credential(self) -> Credential | None:
        try:
            return Credential(**json.loads(self._secrets.read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def _is_known(self, credential: Credential) -> bool:
        """Whether ingest takes it: its database may have been wiped since."""
        url = f"{self._urls['ingest']}/xapi/statements"
        headers = {"X-Experience-API-Version": "1.0.3"}
        auth = httpx2.BasicAuth(credential.key, credential.secret)
        answer = self._http.get(url, params={"limit": 1}, headers=headers, auth=auth)
        return answer.status_code == httpx2.codes.OK

    def _ensure_catalog(self) -> None:
        listed = _expect(
            self._http.get(f"{self._urls['recommendation']}/catalog/activities", params={"limit": 1}), "the catalog"
        )
        if not listed.json()["items"]:
            lines = CATALOG.read_bytes()
            url = f"{self._urls['recommendation']}/catalog/import"
            headers = {"Content-Type": "application/x-ndjson"}
            _expect(self._http.post(url, content=lines, headers=headers), "the sample catalog")


def _expect(answer: httpx2.Response, what: str) -> httpx2.Response:
    if answer.is_error:
        raise CannotStart(f"{answer.url} did not take {what}: {answer.status_code} {answer.text[:300]}")
    return answer
