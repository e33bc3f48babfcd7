"""The services of the stack that runs on this machine, and what a service says when it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import httpx2
from devstack.errors import StackError
from devstack.paths import data_dir

T = TypeVar("T")


class NotRunning(StackError):
    """There is no stack to speak to."""


def running(service: str) -> tuple[str, str]:
    """URL of the running stack's service, and the operator's token. Raises `NotRunning`."""
    return described(lambda stack: (stack[service]["url"], stack["operator_token"]), service)


def described(read: Callable[[Any], T], what: str) -> T:
    """What `read` finds in stack.json; `what`: that which --url may name instead. Raises `NotRunning`."""
    file = data_dir() / "stack.json"
    try:
        return read(json.loads(file.read_bytes()))
    except FileNotFoundError:
        raise NotRunning(f"no stack is running: `make up` starts one; or name {what} with --url") from None
    except (ValueError, KeyError):
        raise NotRunning(f"{file} is not the description of a stack; name {what} with --url") from None


def reason(service: str, answer: httpx2.Response) -> str:
    """The line that says why: the problem's own words and places (RFC 9457), else the status."""
    try:
        problem = answer.json()
        errors = problem.get("errors", [])
        places = [f"{one.get('pointer') or one.get('parameter', '')}: {one['detail']}" for one in errors]
        return "; ".join([problem["detail"], *places[1:]])
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"{service} answered {answer.status_code}"
