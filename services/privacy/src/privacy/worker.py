"""The Kafka side: receipts in; policies, decisions and requests out."""

import httpx2
from events import topics
from service_kit.audit import AuditSource
from service_kit.peers import TIMEOUT_SECONDS, Peers
from service_kit.runtime import Connections, Worker

from privacy.access.collecting import Collecting
from privacy.audit.chaining import Chaining
from privacy.audit.handlers import AuditHandler
from privacy.audit.keeping import Keeping
from privacy.certificates.certifying import Certifying
from privacy.closing.closing import ClosingTenants
from privacy.consents.forgotten import Forgotten
from privacy.consents.outbox import ConsentSource
from privacy.heartbeats.beating import Heart
from privacy.keys.destroying import Destroying
from privacy.keys.outbox import TombstoneSource
from privacy.keys.parts import KeyParts
from privacy.merges.handlers import MergeHandler
from privacy.policies.outbox import PolicySource
from privacy.receipts.handlers import ReceiptHandler
from privacy.requests.outbox import RequestSource
from privacy.requests.rectifying import Rectifying
from privacy.requests.resending import Resending
from privacy.requests.settings import RequestSettings
from privacy.retention.outbox import PortionSource
from privacy.retention.receiving import PortionReceipts
from privacy.retention.reporting import Reporting
from privacy.retention.running import Running
from privacy.retention.settings import RetentionSettings
from privacy.settings import AuditChainSettings, KeyDestructionSettings
from privacy.state import State

DECISIONS_POLL_SECONDS = 0.05  # a withdrawal waits for nothing longer than it must


def worker(c: Connections) -> Worker:
    w = Worker(c)
    state = State.of(c)
    w.relay(PolicySource())
    w.relay(ConsentSource(), poll_seconds=DECISIONS_POLL_SECONDS)
    requests = w.relay(RequestSource())
    portions = w.relay(PortionSource())
    running = Running(state, RetentionSettings(), RequestSettings().erasure_resend_seconds, portions.wake)
    w.job(running.run)
    w.checks.append(running.check)
    w.job(Reporting(state).run)
    keys = KeyParts.of(c)
    answers = PortionReceipts(state, running.wake)
    receipts = ReceiptHandler(state.consents, state.requests, answers)
    if keys is not None:
        tombstones = w.relay(TombstoneSource(c.clock))
        destroying = Destroying(keys.keys, keys.replacing, KeyDestructionSettings(), c.clock, tombstones.wake)
        w.job(destroying.run)
        w.checks.append(destroying.check)
        receipts = ReceiptHandler(state.consents, state.requests, answers, keys.keys, destroying.wake)
    w.consume("receipts", [topics.RECEIPTS], receipts)
    w.consume("merges", [topics.MERGES], MergeHandler(state, requests.wake))
    http = httpx2.AsyncClient(timeout=TIMEOUT_SECONDS)
    w.closers.append(http.aclose)
    peers = Peers(http, c.settings.peers)
    w.job(Collecting(state, peers, RequestSettings()).run)
    w.job(Rectifying(state, peers, RequestSettings()).run)
    w.job(ClosingTenants(state, peers, None if keys is None else keys.replacing).run)
    w.job(Certifying(c.client, state.requests, state.certificates, state.signing, c.clock).run)
    w.job(Resending(state.requests, RequestSettings(), c.clock, requests.wake).run)
    w.relay(AuditSource(), poll_seconds=1.0)
    chaining = Chaining(state.chain, state.signing, c.clock)
    w.consume("audit", [topics.AUDIT], AuditHandler(chaining, c.sealer, Forgotten(c.db)))
    w.job(Keeping(c.client, chaining, c.audit, AuditChainSettings()).run)
    heart = Heart(c)
    w.job(heart.run)
    w.checks.append(heart.check)
    return w
