"""`open`: no statute is assumed and every request is granted, whatever the basis. The demo tenant's."""

from typing import Final

from privacy.packs.pack import ANY_BASIS, Clause, Pack, Period, Right

PROMISE: Final = Clause("none (Trellis's own)", "No statute is assumed: every request is granted, within 30 days.")

OPEN: Final = Pack(
    name="open",
    summary="No statute is assumed; every request is granted whatever the basis.",
    default_period=Period(PROMISE, days=30),
    entitlements=dict.fromkeys(Right, (ANY_BASIS, PROMISE)),
)
