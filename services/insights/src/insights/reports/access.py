"""Who may see which scope."""

from service_kit.audit import Audit
from service_kit.auth import Principal, Role
from service_kit.problems import Forbidden

from insights.reports.reporting import Reporter
from insights.reports.schemas import Report
from insights.rosters.places import Place

READERS = (Role.authority, Role.operator, Role.teacher)


async def teaching(principal: Principal, scope: str, reporter: Reporter) -> str | None:
    """The teacher's own learner_id where the scope is one of the own classes; None: no names are to be shown.

    Raises `Forbidden` for a teacher who asks for anything else.
    """
    if principal.has(Role.teacher):
        own = await own_classes(principal, reporter)
        if scope in {place.scope for place in own}:
            return principal.learner_id
    if principal.has(Role.authority, Role.operator):
        return None
    raise Forbidden("A teacher sees the own classes alone")


async def note(principal: Principal, report: Report, audit: Audit) -> None:
    """A teacher who sees pupils by name is one entry about all of them; a report without names is about nobody."""
    if report.pupils:
        pupils = sorted(str(pupil.learner_id) for pupil in report.pupils)
        await audit.seen(principal, "report with names", *pupils, ground="teach")
    else:
        await audit.seen(principal, "report", ground="insights")


async def own_classes(principal: Principal, reporter: Reporter) -> list[Place]:
    """The classes that the roster gives this teacher; none for others."""
    if not principal.has(Role.teacher):
        return []
    return await reporter.classes(principal.tenant, principal.learner_id)
