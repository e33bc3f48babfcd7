"""Records: what is worth a credential, and what is wrong with one that was brought."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from learner_profile.learners.schemas import CompetencyOut, LearnerOut
from learner_profile.records import credentials
from learner_profile.records.credentials import File
from learner_profile.records.exporting import MANIFEST, STATEMENTS, digest
from learner_profile.records.reading import Brought, achievements, opened
from learner_profile.records.state import COMPETENCIES, document
from learner_profile.records.trusting import TrustedIssuers
from privacy.certificates.jws import public_jwk, signed
from privacy.records.signing import credential_jwt, issuer_of
from privacy.signing import Signer
from service_kit.problems import BadRequest

BASE, TENANT, LEARNER = "https://old.example", "north", str(uuid4())
NOW = datetime.now(UTC).replace(microsecond=0)
ISSUER = issuer_of(BASE, TENANT)
ENGAGEMENT = dict.fromkeys(("weeks", "active_weeks", "active_days", "longest_pause_days"), 1) | dict.fromkeys(
    ("regularity", "days_a_week")
)
REGULATION = dict.fromkeys(("failures", "returns", "reviews"), 0) | dict.fromkeys(("return_share", "low", "high"))
LINES = b'{"id":"1"}\n{"id":"2"}\n'


def competency(**changes: Any) -> CompetencyOut:
    plain = {
        "id": "https://curriculum.example/fractions",
        "title": "Fractions",
        "probability": 0.9,
        "mastery": 0.95,
        "threshold": 0.8,
        "uncertainty": 0.05,
        "evidence_count": 5,
        "exposures": 0,
        "last_seen": NOW,
        "half_life_days": 30,
        "due_at": NOW + timedelta(days=20),
        "provisional": False,
        "teacher": None,
    }
    return CompetencyOut.model_validate(plain | changes)


@pytest.fixture
def signer() -> Signer:
    return Signer(Ed25519PrivateKey.generate())


@pytest.fixture
def issuers(signer: Signer, tmp_path: Path) -> TrustedIssuers:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [public_jwk(signer)]}))
    return TrustedIssuers({ISSUER: keys.as_uri()})


def sign(credential: dict[str, Any], signer: Signer, issuer: str = ISSUER) -> str:
    return credential_jwt(credential, issuer=issuer, name="North", base=BASE, signer=signer)


def record(signer: Signer, change: Callable[[dict[str, bytes]], None] = lambda _: None, **said: Any) -> bytes:
    """A record; `change` is done to its files after they were signed."""
    badge = sign(credentials.achievement(LEARNER, competency(), NOW), signer)
    files = {STATEMENTS: LINES, "state.jsonld": b'{"competencies":[]}', "credentials/1.jwt": badge.encode()}
    listed = [File(name, "x", digest(data), len(data)) for name, data in files.items()]
    manifest = credentials.manifest(LEARNER, [{"mbox": "mailto:ada@old.example"}], listed, NOW)
    files[MANIFEST] = sign(manifest | said, signer).encode()
    change(files)
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return body.getvalue()


class TestCredentials:
    @pytest.mark.parametrize("change", [{"mastery": 0.89}, {"evidence_count": 2}, {"provisional": True}])
    def test_only_what_is_mastered_by_enough_evidence_is_worth_one(self, change: dict[str, Any]) -> None:
        assert credentials.mastered([competency(**change)]) == []
        assert len(credentials.mastered([competency()])) == 1

    def test_it_ends_where_forgetting_would_end_it(self) -> None:
        assert "validUntil" not in credentials.achievement(LEARNER, competency(due_at=None), NOW)
        assert credentials.achievement(LEARNER, competency(), NOW)["validUntil"] > credentials._moment(NOW)

    def test_an_id_of_the_catalog_that_is_no_iri_becomes_one(self) -> None:
        badge = credentials.achievement(LEARNER, competency(id="maths/fractions"), NOW)
        assert badge["credentialSubject"]["achievement"]["id"] == f"{COMPETENCIES}maths/fractions"

    def test_the_claims_are_those_of_the_credential(self, signer: Signer) -> None:
        token = sign(credentials.achievement(LEARNER, competency(), NOW), signer)
        header = jwt.get_unverified_header(token)
        assert header["typ"] == "JWT"
        assert header["kid"] == f"{BASE}/certificates/keys#{public_jwk(signer)['kid']}"
        said = jwt.decode(token, jwt.PyJWK(public_jwk(signer)), algorithms=["EdDSA"])
        assert said["nbf"] == int(NOW.timestamp())
        assert (said["iss"], said["sub"]) == (ISSUER, f"urn:uuid:{LEARNER}")
        assert said["issuer"]["name"] == "North"


class TestState:
    def test_it_names_no_teacher_wherever_one_has_said_something(self) -> None:
        said = {"by": "teacher", "teacher": "tess-4711", "at": NOW, "reason": "Seen in class", "words": "…"}
        word = said | {"probability": 0.9, "standing": "holds"}
        apart = said | {"signal": "pace", "about": None, "aside": True}
        rolled = competency().model_dump() | {"known": 1, "children": 2, "teacher": word}
        model = LearnerOut.model_validate(
            {
                "learner_id": LEARNER,
                "as_of": NOW,
                "version": 1,
                "reflects": None,
                "competencies": [competency(teacher=word)],
                "rolled_up": [rolled],
                "by_teachers_alone": [word | {"id": "https://curriculum.example/thirds", "title": "Thirds"}],
                "interests": [],
                "pace": {"ratio_to_expected": None, "recent_to_usual": None, "evidence_count": 0},
                "strengths": [],
                "activity": {"statements": 1, "active_days": 1, "first_at": NOW, "last_at": NOW},
                "engagement": ENGAGEMENT,
                "self_regulation": REGULATION,
                "collaboration": {"acts": 0, "share": 0, "group_size": None, "correctness": None, "last_at": None},
                "set_aside": [apart],
            }
        )
        found = document(model)
        assert "tess-4711" not in json.dumps(found)
        words = [one["teacher"]["reason"] for one in (*found["competencies"], *found["rolled_up"])]
        assert words == [word["reason"]] * 2
        assert found["by_teachers_alone"][0]["reason"] == found["set_aside"][0]["reason"] == word["reason"]


class TestStandard:
    """What Open Badges 3.0 (Appendix B, by the name of each class) and CLR 2.0 require, and how 8.2 has it signed."""

    @pytest.fixture
    def badge(self, signer: Signer) -> dict[str, Any]:
        token = sign(credentials.achievement(LEARNER, competency(), NOW), signer)
        found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        return found

    def test_achievement_credential(self, badge: dict[str, Any]) -> None:
        for name in ("@context", "id", "type", "credentialSubject", "issuer", "validFrom"):
            assert badge[name], name
        assert badge["@context"][:2] == [credentials.VC, credentials.OPEN_BADGES], "in this order"
        assert set(badge["type"]) == {"VerifiableCredential", "AchievementCredential"}
        assert datetime.fromisoformat(badge["validFrom"]) < datetime.fromisoformat(badge["validUntil"])

    def test_profile_of_the_issuer(self, badge: dict[str, Any]) -> None:
        assert badge["issuer"]["id"].startswith("https://")
        assert "Profile" in badge["issuer"]["type"]

    def test_achievement_subject(self, badge: dict[str, Any]) -> None:
        subject = badge["credentialSubject"]
        assert "AchievementSubject" in subject["type"]
        assert subject["id"].startswith("urn:uuid:"), "either id or identifier"
        assert subject["achievement"]

    def test_achievement_and_its_criteria(self, badge: dict[str, Any]) -> None:
        achievement = badge["credentialSubject"]["achievement"]
        assert "Achievement" in achievement["type"]
        for name in ("id", "name", "description", "criteria"):
            assert achievement[name], name
        assert achievement["criteria"]["narrative"], "an id or a narrative"
        assert achievement["achievementType"] == "Competency", "a word of its enumeration"

    def test_result_and_its_description(self, badge: dict[str, Any]) -> None:
        subject = badge["credentialSubject"]
        [description], [result] = subject["achievement"]["resultDescription"], subject["result"]
        assert "ResultDescription" in description["type"]
        assert description["name"]
        assert description["resultType"] == "Percent", "a word of its enumeration"
        assert "Result" in result["type"]
        assert result["resultDescription"] == description["id"]
        assert 0 <= float(description["valueMin"]) <= float(result["value"]) <= float(description["valueMax"]) == 100

    def test_clr_credential_and_subject(self, signer: Signer) -> None:
        token = sign(credentials.achievement(LEARNER, competency(), NOW), signer)
        found = jwt.decode(sign(credentials.clr(LEARNER, [token], NOW), signer), options={"verify_signature": False})
        for name in ("@context", "id", "type", "name", "credentialSubject", "issuer", "validFrom"):
            assert found[name], name
        assert found["@context"] == [credentials.VC, credentials.CLR, credentials.OPEN_BADGES]
        assert set(found["type"]) == {"VerifiableCredential", "ClrCredential"}
        assert "ClrSubject" in found["credentialSubject"]["type"]
        [enveloped] = found["credentialSubject"]["verifiableCredential"]
        assert enveloped["type"] == "EnvelopedVerifiableCredential"
        assert enveloped["id"] == f"data:application/vc+jwt,{token}"

    def test_the_claims_of_the_token_are_registered_ones(self, badge: dict[str, Any]) -> None:
        """8.2: iss, jti, sub, nbf and exp repeat issuer, id, subject and the dates."""
        assert (badge["iss"], badge["jti"], badge["sub"]) == (
            badge["issuer"]["id"],
            badge["id"],
            badge["credentialSubject"]["id"],
        )
        dates = [int(datetime.fromisoformat(badge[name]).timestamp()) for name in ("validFrom", "validUntil")]
        assert [badge["nbf"], badge["exp"]] == dates


class TestReading:
    async def test_happy(self, signer: Signer, issuers: TrustedIssuers) -> None:
        brought = await opened(record(signer), issuers)
        assert isinstance(brought, Brought)
        assert (brought.issuer, list(brought.statements()), brought.state()) == (
            ISSUER,
            [{"id": "1"}, {"id": "2"}],
            {"competencies": []},
        )
        good, refused = await achievements(brought, issuers)
        assert ([one["name"] for one in good], refused) == (["Fractions"], {})

    @pytest.mark.parametrize(
        "change",
        [
            lambda files: files.update({STATEMENTS: LINES + b'{"id":"3"}\n'}),
            lambda files: files.update({STATEMENTS: LINES.replace(b"1", b"3")}),
            lambda files: files.pop(STATEMENTS),
            lambda files: files.pop(MANIFEST),
            lambda files: files.update({MANIFEST: b"no.token.here"}),
            lambda files: files.update({MANIFEST: files["credentials/1.jwt"]}),
            lambda files: files.update({STATEMENTS: b"0" * 100_000_000}),
        ],
    )
    async def test_what_was_not_signed_is_not_taken(
        self, signer: Signer, issuers: TrustedIssuers, change: Callable[[dict[str, bytes]], None]
    ) -> None:
        with pytest.raises(BadRequest):
            await opened(record(signer, change), issuers)

    @pytest.mark.parametrize("body", [b"", b"PK", b"[]", b"PK\x05\x06" + b"\0" * 18])
    async def test_what_is_no_record_is_not_taken(self, issuers: TrustedIssuers, body: bytes) -> None:
        with pytest.raises(BadRequest):
            await opened(body, issuers)

    async def test_nobody_else_signs_for_an_issuer(self, issuers: TrustedIssuers) -> None:
        with pytest.raises(BadRequest, match="not taken"):
            await opened(record(Signer(Ed25519PrivateKey.generate())), issuers)

    async def test_an_issuer_that_was_not_named_is_not_taken(self, signer: Signer) -> None:
        with pytest.raises(BadRequest):
            await opened(record(signer), TrustedIssuers({}))

    async def test_one_that_is_not_valid_yet_is_not_taken(self, signer: Signer, issuers: TrustedIssuers) -> None:
        later = credentials._moment(NOW + timedelta(days=1))
        with pytest.raises(BadRequest):
            await opened(record(signer, validFrom=later), issuers)

    async def test_a_certificate_is_no_credential(self, signer: Signer, issuers: TrustedIssuers) -> None:
        other = signed({"iss": ISSUER, "type": [credentials.RECORD]}, signer, "ld+json").encode()
        with pytest.raises(BadRequest):
            await opened(record(signer, lambda files: files.update({MANIFEST: other})), issuers)

    async def test_no_signature_is_none(self, signer: Signer, issuers: TrustedIssuers) -> None:
        def unsigned(files: dict[str, bytes]) -> None:
            payload = files[MANIFEST].split(b".")[1]
            header = base64.urlsafe_b64encode(b'{"alg":"none","kid":"x"}').rstrip(b"=")
            files[MANIFEST] = b".".join([header, payload, b""])

        with pytest.raises(BadRequest):
            await opened(record(signer, unsigned), issuers)

    async def test_an_expired_credential_is_told_and_left_out(self, signer: Signer, issuers: TrustedIssuers) -> None:
        brought = await opened(record(signer), issuers)
        old = credentials.achievement(LEARNER, competency(due_at=NOW - timedelta(days=1)), NOW - timedelta(days=9))
        expired = sign(old, signer).encode()
        files = {**brought.files, "credentials/1.jwt": expired}
        again = Brought(brought.id, ISSUER, "", brought.issued_at, [], files)
        good, refused = await achievements(again, issuers)
        assert (good, list(refused)) == ([], ["credentials/1.jwt"])
