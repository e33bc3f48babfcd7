"""Settings of ingest alone."""

import math
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from service_kit.settings import danger

from ingest.credentials.credential import Rate


class XapiSettings(BaseSettings):
    """The HTTP side of xAPI's resources."""

    model_config = SettingsConfigDict(env_prefix="TRELLIS_XAPI_", frozen=True, extra="ignore")

    cors_origins: str = Field(
        "*",
        description="Origins whose pages may call /xapi in a browser, separated by commas; `*`: any, empty: none",
        json_schema_extra=danger(
            "`*` lets any page use a credential that it already holds; none is ever sent by itself, since there are "
            "no cookies. A list that lacks an origin silences the content that is served there."
        ),
    )
    statements_limit: int = Field(
        5_000,
        ge=1,
        le=20_000,
        description="Most statements in one POST; 413 beyond it",
        json_schema_extra=danger(
            "A batch is one transaction. Beyond 5,000 it holds locks for seconds; below what an emitter sends at once, "
            "its batches meet 413 until it learns to halve them."
        ),
    )

    @property
    def origins(self) -> list[str]:
        return [origin.strip() for origin in self.cors_origins.split(",") if origin.strip()]


class AttachmentSettings(BaseSettings):
    """Attachments with their data: how much is taken, where it lies, whose signatures are trusted."""

    model_config = SettingsConfigDict(env_prefix="TRELLIS_", frozen=True, extra="ignore")

    multipart_limit_bytes: int = Field(
        256 * 1024 * 1024,
        ge=1024,
        description="Largest `multipart/mixed` body of statements with their attachments; 413 beyond it",
        json_schema_extra=danger("So much room each request may need in the folder of temporary files."),
    )
    attachments_a_request: int = Field(
        100,
        ge=1,
        le=10_000,
        description="Most attachments with their data in one request; 413 beyond it",
        json_schema_extra=danger("Each holds up to 64 KiB of memory and, beyond that, an open file."),
    )
    attachment_store: Literal["gridfs", "s3"] = Field(
        "gridfs",
        description="Where the data of attachments lies: in MongoDB (GridFS), or in an S3-compatible store",
        json_schema_extra=danger("A change later moves nothing: what was stored before is no longer found."),
    )
    s3_bucket: str = Field(
        "",
        description="Bucket of the attachments; it must exist",
        json_schema_extra=danger("Versioning or object locks on it keep what an erasure deletes."),
    )
    s3_endpoint: str = Field(
        "",
        description="Address of the S3-compatible store; empty: Amazon's own, by region",
        json_schema_extra=danger("With http:// whoever is on the way reads what is not sealed."),
    )
    s3_region: str = Field(
        "us-east-1",
        description="Region of the bucket",
        json_schema_extra=danger("Wrong: the store refuses every request."),
    )
    s3_access_key_id: SecretStr = Field(
        SecretStr(""),
        description="Key for the bucket; empty: what the platform gives (instance or pod identity)",
        json_schema_extra=danger("A secret."),
    )
    s3_secret_access_key: SecretStr = Field(
        SecretStr(""),
        description="Secret of that key",
        json_schema_extra=danger("A secret. It needs to read, write and delete in the bucket, and no more."),
    )
    signature_roots: str = Field(
        "",
        description="File of trusted root certificates (PEM) for signed statements; empty: chains are not looked at",
        json_schema_extra=danger(
            "Empty: a valid signature proves that nothing was changed, not who signed. Set: a statement whose "
            "signature has no chain to one of these roots is refused."
        ),
    )


class QuarantineSettings(BaseSettings):
    """What is kept of emitters' statements that were refused."""

    model_config = SettingsConfigDict(env_prefix="TRELLIS_", frozen=True, extra="ignore")

    quarantine_days: float = Field(
        30,
        gt=0,
        le=3650,
        description="How long a refused statement stays in quarantine after it came last",
        json_schema_extra=danger("What names no one readably is found by no erasure, and stays this long."),
    )
    quarantine_statements: int = Field(
        10_000,
        ge=0,
        description="Most statements in a tenant's quarantine; beyond it a batch with a bad statement is refused whole",
        json_schema_extra=danger("0: no batch is stored in part. Open edX then loses the good ones after a 409."),
    )
    quarantine_bytes: int = Field(
        256 * 1024 * 1024,
        ge=0,
        description="Most bytes of statements in a tenant's quarantine",
        json_schema_extra=danger("As above."),
    )


class AccessSettings(BaseSettings):
    """How often callers of xAPI may ask, and under which address they find it."""

    model_config = SettingsConfigDict(env_prefix="TRELLIS_XAPI_", frozen=True, extra="ignore")

    rate_per_second: float = Field(
        0,
        ge=0,
        description="Requests a second of a caller without a rate of its own, at each replica; 429 beyond it; 0: any",
        json_schema_extra=danger("Too low: an LMS falls behind in school hours. 0: one caller can take all of ingest."),
    )
    rate_burst: int = Field(
        0,
        ge=0,
        description="How many requests at once within that rate; 0: those of one second",
        json_schema_extra=danger("Smaller than an emitter's connections: it meets 429 although it is slow enough."),
    )
    public_url: str = Field(
        "",
        pattern=r"^(https?://[^\s?#]*[^\s?#/])?$",
        description="The address by which browsers reach ingest, in launches; empty: that of the request",
        json_schema_extra=danger(
            "Empty behind a proxy that ends TLS: content is launched with an http:// endpoint. Wrong: launched content "
            "reaches nothing."
        ),
    )

    @property
    def rate(self) -> Rate | None:
        if not self.rate_per_second:
            return None
        return Rate(self.rate_per_second, self.rate_burst or math.ceil(self.rate_per_second))
