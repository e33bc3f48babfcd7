"""What the standard's rules refuse, as problem documents that name the place."""

from service_kit.problems import BadRequest
from xapi import Problem, QueryInvalid, StatementInvalid


def invalid(error: StatementInvalid) -> BadRequest:
    """Pointers are into the body."""
    first = error.errors[0]
    where = first.path or "the body"
    return BadRequest(
        f"Wrong input at {where}: {first.reason}",
        errors=[{"pointer": problem.path, "detail": problem.reason} for problem in error.errors],
    )


def invalid_query(error: QueryInvalid) -> BadRequest:
    places = [_place(problem) for problem in error.errors]
    return BadRequest(f"Wrong parameter {places[0]['parameter']}: {places[0]['detail']}", errors=places)


def wrong_parameter(name: str, reason: str) -> BadRequest:
    return invalid_query(QueryInvalid((Problem(name, reason),)))


def wrong_header(name: str, reason: str) -> BadRequest:
    place = {"parameter": name, "in": "header", "detail": reason}
    return BadRequest(f"Wrong header {name}: {reason}", errors=[place])


def _place(problem: Problem) -> dict[str, str]:
    """The parameter, and where it holds JSON, the pointer into that."""
    name, slash, inside = problem.path.partition("/")
    place = {"parameter": name, "in": "query", "detail": problem.reason}
    return place | ({"pointer": f"/{inside}"} if slash else {})
