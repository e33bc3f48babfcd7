"""The three document resources as a client uses them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2

from tests.integration.ingest.lrs import Lrs, agent

ACTIVITY = "https://example.org/activities/1"
JSON = "application/json"
Params = Mapping[str, str | None]


@dataclass
class Documents:
    """One document of one resource; each call may change parameters (None leaves one out) and headers."""

    lrs: Lrs
    path: str
    params: dict[str, str]
    name: str
    headers: dict[str, str] = field(default_factory=dict)

    async def call(
        self,
        method: str,
        content: bytes | Mapping[str, Any] | None = None,
        media_type: str | None = JSON,
        *,
        headers: Mapping[str, str] | None = None,
        auth: httpx2.BasicAuth | None = None,
        params: Params | None = None,
    ) -> httpx2.Response:
        sent = {"X-Experience-API-Version": self.lrs.version} | self.headers | dict(headers or {})
        body = json.dumps(content).encode() if isinstance(content, Mapping) else content
        if body is not None and media_type is not None:
            sent["Content-Type"] = media_type
        chosen = {name: value for name, value in (self.params | dict(params or {})).items() if value is not None}
        return await self.lrs.http.request(
            method, f"/xapi{self.path}", params=chosen, content=body, headers=sent, auth=auth or self.lrs.auth
        )

    async def new(
        self, content: bytes | Mapping[str, Any], media_type: str = JSON, params: Params | None = None
    ) -> str:
        """Put a document that is not there yet; its ETag."""
        made = await self.call("PUT", content, media_type, headers={"If-None-Match": "*"}, params=params)
        assert made.status_code == 204, made.text
        tag: str = (await self.call("GET", params=params)).headers["ETag"]
        return tag

    async def names(self, params: Params | None = None) -> list[str]:
        answer = await self.call("GET", params={self.name: None} | dict(params or {}))
        assert answer.status_code == 200, answer.text
        names: list[str] = answer.json()
        return names


def state(lrs: Lrs, actor: str = "ada") -> Documents:
    params = {"activityId": ACTIVITY, "agent": json.dumps(agent(actor)), "stateId": f"s-{uuid4()}"}
    return Documents(lrs, "/activities/state", params, "stateId")


def activity_profile(lrs: Lrs) -> Documents:
    params = {"activityId": ACTIVITY, "profileId": f"p-{uuid4()}"}
    return Documents(lrs, "/activities/profile", params, "profileId")


def agent_profile(lrs: Lrs, actor: str = "ada") -> Documents:
    params = {"agent": json.dumps(agent(actor)), "profileId": f"p-{uuid4()}"}
    return Documents(lrs, "/agents/profile", params, "profileId")


RESOURCES = {"state": state, "activity profile": activity_profile, "agent profile": agent_profile}
