"""A small server that speaks Vault's transit interface, as its API documentation tells it: for tests alone.

Keys: POST/GET/DELETE `keys/:name`, POST `keys/:name/config`. Use: POST `encrypt/:name`, `decrypt/:name` with
`batch_input` of `plaintext`/`ciphertext` and `associated_data` (base64). Errors are `{"errors": [...]}`; an item of a
batch that fails carries its own `error`. A key is not deleted before `deletion_allowed`, and what is encrypted under a
name that is not there makes the key, where the token may create.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

PREFIX = "vault:v1:"


@dataclass
class Key:
    cipher: AESGCM = field(default_factory=lambda: AESGCM(AESGCM.generate_key(256)))
    deletion_allowed: bool = False


@dataclass
class Vault:
    """`tokens`: which capabilities each token has, of `create`, `read`, `update`, `delete`, `decrypt`, `encrypt`."""

    tokens: Mapping[str, frozenset[str]]
    keys: dict[str, Key] = field(default_factory=dict)
    batches: list[int] = field(default_factory=list)
    sealed: bool = False

    @property
    def app(self) -> Starlette:
        at = "/v1/transit"
        return Starlette(
            routes=[
                Route(f"{at}/keys/{{name}}", self._key, methods=["GET", "POST", "DELETE"]),
                Route(f"{at}/keys/{{name}}/config", self._config, methods=["POST"]),
                Route(f"{at}/encrypt/{{name}}", self._encrypt, methods=["POST"]),
                Route(f"{at}/decrypt/{{name}}", self._decrypt, methods=["POST"]),
            ]
        )

    async def _key(self, request: Request) -> Response:
        wanted = {"GET": "read", "POST": "create", "DELETE": "delete"}[request.method]
        if (refusal := self._refusal(request, wanted)) is not None:
            return refusal
        name = request.path_params["name"]
        key = self.keys.get(name)
        if request.method == "POST":
            body = await request.json()
            if body.get("type", "aes256-gcm96") != "aes256-gcm96":
                return _errors(400, "unknown key type")
            self.keys.setdefault(name, Key())
            return Response(status_code=204)
        if key is None:
            return _errors(404) if request.method == "GET" else _errors(400, "could not delete key; not found")
        if request.method == "GET":
            said = {"name": name, "type": "aes256-gcm96", "deletion_allowed": key.deletion_allowed}
            return JSONResponse({"data": said | {"latest_version": 1}})
        if not key.deletion_allowed:
            return _errors(400, "deletion is not allowed for this key")
        del self.keys[name]
        return Response(status_code=204)

    async def _config(self, request: Request) -> Response:
        if (refusal := self._refusal(request, "update")) is not None:
            return refusal
        key = self.keys.get(request.path_params["name"])
        if key is None:
            return _errors(400, "no existing key named so could be found")
        key.deletion_allowed = bool((await request.json()).get("deletion_allowed", key.deletion_allowed))
        return Response(status_code=204)

    async def _encrypt(self, request: Request) -> Response:
        if (refusal := self._refusal(request, "encrypt")) is not None:
            return refusal
        key = self.keys.setdefault(request.path_params["name"], Key())
        items = (await request.json())["batch_input"]
        self.batches.append(len(items))
        return _results([_encrypted(key.cipher, one) for one in items])

    async def _decrypt(self, request: Request) -> Response:
        if (refusal := self._refusal(request, "decrypt")) is not None:
            return refusal
        key = self.keys.get(request.path_params["name"])
        if key is None:
            return _errors(400, "encryption key not found")
        items = (await request.json())["batch_input"]
        self.batches.append(len(items))
        return _results([_decrypted(key.cipher, one) for one in items])

    def _refusal(self, request: Request, capability: str) -> Response | None:
        if self.sealed:
            return _errors(503, "Vault is sealed")
        token = request.headers.get("X-Vault-Token", "")
        return None if capability in self.tokens.get(token, ()) else _errors(403, "permission denied")


def _encrypted(cipher: AESGCM, item: dict[str, str]) -> dict[str, str]:
    nonce = secrets.token_bytes(12)
    plain, bound = base64.b64decode(item["plaintext"]), base64.b64decode(item.get("associated_data", ""))
    return {"ciphertext": PREFIX + base64.b64encode(nonce + cipher.encrypt(nonce, plain, bound)).decode()}


def _decrypted(cipher: AESGCM, item: dict[str, str]) -> dict[str, str]:
    if not item["ciphertext"].startswith(PREFIX):
        return {"error": "invalid ciphertext: no prefix"}
    try:
        sealed = base64.b64decode(item["ciphertext"].removeprefix(PREFIX), validate=True)
        plain = cipher.decrypt(sealed[:12], sealed[12:], base64.b64decode(item.get("associated_data", "")))
    except (InvalidTag, ValueError):
        return {"error": "cipher: message authentication failed"}
    return {"plaintext": base64.b64encode(plain).decode()}


def _results(results: list[dict[str, str]]) -> Response:
    failed = any("error" in one for one in results)
    return JSONResponse({"data": {"batch_results": results}}, status_code=400 if failed else 200)


def _errors(status: int, *errors: Any) -> Response:
    return JSONResponse({"errors": list(errors)}, status_code=status)
