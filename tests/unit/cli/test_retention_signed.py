"""The signed report of a retention run is shown only where its signature is good."""

from __future__ import annotations

import httpx2
import pytest
from cli.operator import Api, Refused
from cli.retention import checked
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from privacy.certificates.jws import public_jwk, signed
from privacy.signing import Signer

SAID = {"run": "r", "counts": {"ingest": {"statements": 3}}}


def of(signer: Signer) -> Api:
    """A service that says that this key is its own."""
    answer = httpx2.MockTransport(lambda _: httpx2.Response(200, json={"keys": [public_jwk(signer)]}))
    return Api("privacy", httpx2.Client(base_url="http://privacy", transport=answer))


def test_what_is_signed_with_the_services_key_and_nothing_else() -> None:
    ours, other = Signer(Ed25519PrivateKey.generate()), Signer(Ed25519PrivateKey.generate())
    jws = signed(SAID, ours, "ld+json")
    assert checked(of(ours), jws) == SAID
    head, _, signature = jws.split(".")
    forged = ".".join([head, signed({**SAID, "run": "s"}, other, "ld+json").split(".")[1], signature])
    for service, document in ((of(other), jws), (of(ours), forged), (of(ours), "no.such.thing")):
        with pytest.raises(Refused):
            checked(service, document)
