"""`python -m devstack.nursery`: a process that has imported what every service needs and forks programs from there.

A dozen interpreters that each import the same libraries cost a small machine most of a minute and half a gigabyte.
What is forked behaves as `python -m <module> <arguments>` would: its own session, environment, log and exit code.
Orders come as JSON lines on standard input; births and deaths go out as JSON lines on standard output.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import sys
import threading
import traceback
from typing import Any, NoReturn

from setproctitle import getproctitle, setproctitle

PRELOADED = (
    "service_kit.app",
    "service_kit.auth",
    "service_kit.consent",
    "service_kit.outbox",
    "service_kit.paging",
    "service_kit.positions",
    "service_kit.runtime",
    "learner_model",
    "xapi.parsing",
    "xapi.models",
)
_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15


def main() -> None:
    """Until standard input is closed; whoever was forked ends with this process."""
    getproctitle()  # finds the memory of the title; once a child has changed the environment it is too late
    out = os.dup(1)
    os.dup2(2, 1)
    for name in PRELOADED:
        importlib.import_module(name)
    if threading.active_count() > 1:
        raise RuntimeError("a preloaded module starts threads: it cannot be forked safely")
    gc.collect()
    gc.freeze()  # what is shared stays shared: the collector does not touch it
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        selector.register(wake, selectors.EVENT_READ)
        _serve(selector, out, wake, waker)


def _serve(selector: selectors.BaseSelector, out: int, wake: int, waker: int) -> None:
    orders = b""
    while True:
        ready = {key.fd for key, _ in selector.select()}
        if wake in ready:
            os.read(wake, 4096)
            _report_deaths(out)
        if 0 in ready:
            received = os.read(0, 1 << 16)
            if not received:
                return
            *lines, orders = (orders + received).split(b"\n")
            for line in lines:
                _tell(out, {"born": _fork(json.loads(line), close=(out, wake, waker))})


def _report_deaths(out: int) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _tell(out, {"dead": pid, "code": os.waitstatus_to_exitcode(status)})


def _tell(out: int, message: dict[str, int]) -> None:
    os.write(out, json.dumps(message).encode() + b"\n")


def _fork(order: dict[str, Any], *, close: tuple[int, ...]) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            _settle(order, parent, close)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        _run(order["module"], order["arguments"])
    return pid


def _settle(order: dict[str, Any], parent: int, close: tuple[int, ...]) -> None:
    """In the child: a session, a log, an environment and signals of its own, and an end with the parent."""
    os.setsid()
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    libc.prctl(_PR_SET_NAME, order["name"].encode()[:15])
    if os.getppid() != parent:  # it died before we asked to be told
        os._exit(1)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    for descriptor in (log, nothing, *close):
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(order["environment"])


def _run(module: str, arguments: list[str]) -> NoReturn:
    """As `python -m module arguments`."""
    sys.argv = [module, *arguments]
    setproctitle(" ".join([sys.executable, "-m", module, *arguments]))
    code = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
