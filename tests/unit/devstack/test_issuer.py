"""Tokens of the local issuer, as a service checks them."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import jwt
import pytest
from devstack.issuer import AUDIENCE, ISSUER, Issuer


def claims(issuer: Issuer, token: str) -> dict[str, object]:
    keys = jwt.PyJWKSet.from_dict(json.loads((issuer.folder / "jwks.json").read_text()))
    key = keys[jwt.get_unverified_header(token)["kid"]]
    decoded: dict[str, object] = jwt.decode(token, key, algorithms=["EdDSA"], audience=AUDIENCE, issuer=ISSUER)
    return decoded


def test_a_token_carries_tenant_roles_and_learner(tmp_path: Path) -> None:
    issuer = Issuer.in_folder(tmp_path)
    token = issuer.token(roles=["learner"], tenant="demo", subject="ada", learner="l-1", ttl_seconds=60)
    found = claims(issuer, token)
    assert (found["tenant"], found["roles"], found["learner"], found["sub"]) == ("demo", ["learner"], "l-1", "ada")


def test_the_key_is_kept_and_for_the_owner_alone(tmp_path: Path) -> None:
    token = Issuer.in_folder(tmp_path).token(roles=["dpo"], tenant="demo", subject="x")
    assert claims(Issuer.in_folder(tmp_path), token)["roles"] == ["dpo"]
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600


def test_time_runs_out(tmp_path: Path) -> None:
    issuer = Issuer.in_folder(tmp_path)
    token = issuer.token(roles=["dpo"], tenant="demo", subject="x", ttl_seconds=-1)
    with pytest.raises(jwt.ExpiredSignatureError):
        claims(issuer, token)
