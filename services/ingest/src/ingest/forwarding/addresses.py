"""Where a forwarding may lead. The operator decides, but not to what only this machine can ask.

Link-local addresses hold the credentials that clouds give to their machines (169.254.169.254 and the like), so they
are refused by name and, each time before sending, by what the name stands for. Private networks are allowed: that is
where an LRS of one's own stands. What else must stay out of reach is a matter for the network's policy.
"""

import asyncio
import ipaddress
import socket
from typing import Final
from urllib.parse import urlsplit

_NAMES: Final = frozenset({"metadata", "metadata.google.internal", "metadata.goog"})


class AddressRefused(Exception):
    """The endpoint leads where no forwarding may."""


def checked_endpoint(url: str) -> str:
    """The endpoint without a slash at its end. Raises `ValueError`."""
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:  # a port beyond 65535 raises
        raise ValueError("expected an http or https URL")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("expected a URL without user, password, query or fragment")
    if parts.hostname.rstrip(".").lower() in _NAMES or _is_refused(parts.hostname):
        raise ValueError("link-local, multicast and unspecified addresses are refused")
    return url.strip().rstrip("/")


async def check_reachable(url: str) -> None:
    """Raises `AddressRefused` where the name stands for a refused address; `OSError` where it stands for none."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    if any(_is_refused(str(address[0])) for *_, address in found):
        raise AddressRefused


def _is_refused(host: str) -> bool:
    """Names are not; 0x7f.1 and its like are left to the look-up, which gives them their plain form."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_link_local or address.is_multicast or address.is_unspecified
