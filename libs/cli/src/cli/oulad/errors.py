"""What ends an import: the message is the one line that is shown."""

from __future__ import annotations

from devstack.errors import StackError


class ImportStopped(StackError):
    """The files or the services do not allow to go on."""
