"""From settings to a sealer: which provider, which directory."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from events.errors import EventsError
from events.sealing import ClearSealer, Sealer
from pydantic import SecretStr

from service_kit.keys.directory import Directory, PrivacyDirectory
from service_kit.keys.file import FileKeyProvider
from service_kit.keys.held import HeldKeys
from service_kit.keys.provider import KeyProvider
from service_kit.keys.ring import KeyRing
from service_kit.keys.sealer import KeySealer
from service_kit.keys.vault import VaultKeyProvider
from service_kit.mongo import Database
from service_kit.settings import KeySettings, PeerSettings

MakeDirectory = Callable[[Database, KeyProvider], Directory]


class NoKeyProvider(EventsError):
    """The settings name no place for keys."""


@dataclass(frozen=True)
class Keys:
    """What a process has to do with keys."""

    provider: KeyProvider
    directory: Directory
    held: HeldKeys
    ring: KeyRing
    sealer: Sealer

    async def close(self) -> None:
        await self.directory.close()
        await self.provider.close()


def keys_of(
    settings: KeySettings, peers: PeerSettings, db: Database, directory: MakeDirectory | None = None
) -> Keys | None:
    """None where the settings leave everything in the clear. Raises `NoKeyProvider`."""
    if settings.key_provider == "none":
        return None
    provider = provider_of(settings)
    known = PrivacyDirectory(peers) if directory is None else directory(db, provider)
    held = HeldKeys(db)
    ring = KeyRing(held, provider, known, most=settings.open_keys, ttl_seconds=settings.open_key_seconds)
    return Keys(provider, known, held, ring, KeySealer(ring))


def provider_of(settings: KeySettings) -> KeyProvider:
    """Raises `NoKeyProvider`."""
    if settings.key_provider == "vault":
        token: SecretStr | Path = Path(settings.vault_token_file) if settings.vault_token_file else settings.vault_token
        if not settings.vault_url or not (isinstance(token, Path) or token.get_secret_value()):
            raise NoKeyProvider("TRELLIS_KEY_PROVIDER=vault needs TRELLIS_VAULT_URL and TRELLIS_VAULT_TOKEN or …_FILE")
        return VaultKeyProvider(settings.vault_url, settings.vault_mount, token)
    if not settings.key_file:
        raise NoKeyProvider(
            "TRELLIS_KEY_FILE must name the file of the bucket keys, or TRELLIS_KEY_PROVIDER another provider"
        )
    return FileKeyProvider(Path(settings.key_file))


def sealer_of(keys: Keys | None) -> Sealer:
    return ClearSealer() if keys is None else keys.sealer
