"""The ingest of the stack that runs on this machine."""

from __future__ import annotations

import json

from devstack.paths import data_dir

from cli.oulad.errors import ImportStopped


def ingest_of_stack() -> tuple[str, str]:
    """URL of the running stack's ingest, and the operator's token."""
    file = data_dir() / "stack.json"
    try:
        stack = json.loads(file.read_bytes())
        return stack["ingest"]["url"], stack["operator_token"]
    except FileNotFoundError:
        raise ImportStopped("no stack is running: `make up` starts one; or name ingest with --url") from None
    except (ValueError, KeyError):
        raise ImportStopped(f"{file} is not the description of a stack; name ingest with --url") from None
