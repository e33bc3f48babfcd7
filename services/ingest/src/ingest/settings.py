"""Settings of ingest alone."""

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from service_kit.settings import danger


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
