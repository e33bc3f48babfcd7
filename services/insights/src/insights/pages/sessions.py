"""Who may open the pages."""

from typing import Final

from service_kit.sessions import Sessions, SignInNeeded, local

from insights.reports.access import READERS

__all__ = ["SignInNeeded", "check", "forget", "local", "reader", "remember"]

_SESSIONS: Final = Sessions(READERS)
reader, check = _SESSIONS.reader, _SESSIONS.check
remember, forget = _SESSIONS.remember, _SESSIONS.forget
