"""What the standard's rules refuse, as problem documents that name the place."""

from service_kit.problems import BadRequest
from xapi import QueryInvalid, StatementInvalid


def invalid(error: StatementInvalid, place: str = "") -> BadRequest:
    """Pointers are into the body, or below `place`."""
    first = error.errors[0]
    where = f"{place}{first.path}" or "the body"
    return BadRequest(
        f"Wrong input at {where}: {first.reason}",
        errors=[{"pointer": f"{place}{problem.path}", "detail": problem.reason} for problem in error.errors],
    )


def invalid_query(error: QueryInvalid) -> BadRequest:
    first = error.errors[0]
    return BadRequest(
        f"Wrong parameter {first.path}: {first.reason}",
        errors=[{"pointer": f"/query/{problem.path}", "detail": problem.reason} for problem in error.errors],
    )


def wrong_parameter(name: str, reason: str) -> BadRequest:
    return BadRequest(f"Wrong parameter {name}: {reason}", errors=[{"pointer": f"/query/{name}", "detail": reason}])
