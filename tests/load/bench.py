"""`make bench`: how fast it is, on this machine, measured side by side. Nothing here fails a build.

`ARGS="race relay"` picks parts; `ARGS=--quick` measures less of each.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from tests.load import cutting, flow, growth, memory, race, relay, retention, worker
from tests.load.machine import machine, say


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "parts",
        nargs="*",
        help="flow, race, growth, relay, memory, cutting, worker, retention; all but the last where none is named",
    )
    parser.add_argument("--quick", action="store_true", help="a trial: fewer rounds, less data")
    parser.add_argument("--rate", type=float, default=200, help="of flow: statements/s offered")
    parser.add_argument("--seconds", type=float, default=60, help="of flow: how long")
    parser.add_argument("--probes", type=int, default=4, help="of flow: learners whose recommendation is awaited")
    retention.arguments(parser.add_argument_group("retention"))
    options = parser.parse_args()
    parts: dict[str, Callable[[], None]] = {
        "flow": lambda: flow.measure(rate=options.rate, seconds=options.seconds, probes=options.probes),
        "race": lambda: race.measure(quick=options.quick),
        "growth": lambda: growth.measure(quick=options.quick),
        "relay": lambda: relay.measure(quick=options.quick),
        "memory": lambda: memory.measure(quick=options.quick),
        "cutting": lambda: cutting.measure(quick=options.quick),
        "retention": lambda: retention.measure(retention.plan_of(options)),
        "worker": lambda: worker.measure(quick=options.quick),
    }
    if unknown := set(options.parts) - set(parts):
        parser.error(f"there are no parts {', '.join(sorted(unknown))}; there are: {', '.join(parts)}")
    say(machine())
    for name in options.parts or [name for name in parts if name != "retention"]:
        say(f"\n== {name} ==")
        parts[name]()


if __name__ == "__main__":
    main()
