"""The Kafka side: receipts in; policies, decisions and requests out."""

from events import topics
from service_kit.runtime import Connections, Worker

from privacy.consents.outbox import ConsentSource
from privacy.policies.outbox import PolicySource
from privacy.receipts.handlers import ReceiptHandler
from privacy.requests.outbox import RequestSource
from privacy.requests.resending import Resending
from privacy.settings import ErasureSettings
from privacy.state import State


def worker(c: Connections) -> Worker:
    w = Worker(c)
    state = State.of(c)
    w.relay(PolicySource())
    w.relay(ConsentSource())
    requests = w.relay(RequestSource())
    w.consume("receipts", [topics.RECEIPTS], ReceiptHandler(state.consents, state.requests))
    w.job(Resending(state.requests, ErasureSettings(), c.clock, requests.wake).run)
    return w
