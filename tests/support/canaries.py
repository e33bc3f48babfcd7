"""A value of its own in every field that a statement, a document or a request can carry about a person."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.support import multipart_mixed

VERB = {"id": "http://adlnet.gov/expapi/verbs/answered"}
Json = dict[str, Any]


@dataclass
class Canaries:
    """Every value that was handed out, by where it went."""

    sent: dict[str, str] = field(default_factory=dict)

    def __call__(self, place: str) -> str:
        """A value that occurs nowhere else."""
        return self.sent.setdefault(place, f"canary{secrets.token_hex(8)}")

    def uuid(self, place: str) -> str:
        return self.sent.setdefault(place, str(uuid4()))

    def digest(self, place: str) -> str:
        return self.sent.setdefault(place, hashlib.sha1(secrets.token_bytes(20), usedforsecurity=False).hexdigest())

    def found_in(self, data: bytes) -> list[str]:
        return [place for place, value in self.sent.items() if value.encode() in data]

    def account(self, place: str) -> Json:
        return {
            "objectType": "Agent",
            "name": self(f"{place}.name"),
            "account": {"homePage": "https://school.example", "name": self(f"{place}.account")},
        }

    def agents(self, place: str) -> list[Json]:
        """One of each kind of identifier."""
        return [
            self.account(f"{place}.account"),
            {"name": self(f"{place}.mbox.name"), "mbox": f"mailto:{self(f'{place}.mbox')}@school.example"},
            {"name": self(f"{place}.sha1.name"), "mbox_sha1sum": self.digest(f"{place}.sha1")},
            {"name": self(f"{place}.openid.name"), "openid": f"https://id.example/{self(f'{place}.openid')}"},
        ]

    def statement(self, actor: Json, place: str, activity: str) -> Json:
        """With something personal in every field that takes it."""
        members = self.agents(f"{place}.member")
        return {
            "id": str(uuid4()),
            "actor": actor,
            "verb": VERB,
            "object": {"id": activity},
            "result": {
                "success": True,
                "score": {"scaled": 0.5},
                "response": self(f"{place}.response"),
                "extensions": {"https://x.example/result": {"deep": [self(f"{place}.result.extension")]}},
            },
            "context": {
                "registration": self.uuid(f"{place}.registration"),
                "instructor": self.account(f"{place}.instructor"),
                "team": {"objectType": "Group", "name": self(f"{place}.team"), "member": members},
                "platform": self(f"{place}.platform"),
                "extensions": {"https://x.example/context": self(f"{place}.context.extension")},
            },
        }

    def with_attachment(self, actor: Json, place: str, activity: str) -> tuple[bytes, str]:
        """A multipart body and its content type."""
        data = self(f"{place}.attachment").encode()
        described = multipart_mixed.attachment(
            data,
            display={"en": self(f"{place}.attachment.display")},
            description={"en": self(f"{place}.attachment.description")},
        )
        statement = self.statement(actor, place, activity) | {"attachments": [described]}
        parts = [multipart_mixed.statements_part(statement), multipart_mixed.part(data)]
        return multipart_mixed.body(*parts), multipart_mixed.CONTENT_TYPE

    def about_a_person(self, actor: Json, place: str) -> Json:
        """A statement whose object is somebody, and one within a statement."""
        inner = {"objectType": "SubStatement", "actor": self.account(f"{place}.inner"), "verb": VERB}
        return {
            "actor": actor,
            "verb": VERB,
            "object": {**inner, "object": {**self.account(f"{place}.object"), "objectType": "Agent"}},
        }

    def broken(self, actor: Json, activity: str) -> list[Any]:
        """Statements that are refused, each with a value where the reason might repeat it."""
        good = {"actor": actor, "verb": VERB, "object": {"id": activity}}
        return [
            good | {"actor": {"mbox": self("broken.mbox")}},
            good | {"actor": {"account": {"homePage": self("broken.homePage"), "name": self("broken.name")}}},
            good | {"actor": {"mbox_sha1sum": self("broken.sha1")}},
            good | {self("broken.property"): 1},
            good | {"id": self("broken.id")},
            good | {"timestamp": self("broken.timestamp")},
            good | {"result": {"duration": self("broken.duration")}},
            good | {"result": {"extensions": {self("broken.extension.key"): 1}}},
            good | {"context": {"registration": self("broken.registration")}},
            good | {"context": {"language": self("broken.language")}},
            good | {"object": {"objectType": self("broken.objectType"), "id": activity}},
            good | {"verb": {"id": self("broken.verb")}},
            good | {"attachments": [{"usageType": self("broken.usage")}]},
            self("broken.string"),
            [[self("broken.list")]],
        ]
