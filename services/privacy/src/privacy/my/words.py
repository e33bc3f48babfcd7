"""What things are called on a learner's page: words that a child of twelve knows."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from events.payloads import AuditAction, Basis, PurposePolicy


@dataclass(frozen=True, slots=True)
class Told:
    """A purpose: its name, what is kept or done, and where."""

    title: str
    text: str
    held: str


PURPOSES: Final = {
    "record": Told(
        "Keep what I do",
        "Your learning apps tell Trellis which tasks you tried and how they went. Everything else builds on this.",
        "What you did in your learning apps: tasks, answers, scores and times",
    ),
    "profile": Told(
        "Work out what I know",
        "From what you did, a computer works out what you know well, what you may forget, and what you like.",
        "What a computer thinks you know, like, and how fast you go",
    ),
    "recommend": Told(
        "Suggest what I could learn next",
        "You get ideas for what to learn next, each with the reason why.",
        "What your ideas for the next task are made from",
    ),
    "teach": Told(
        "Show me to my teachers by name",
        "Your own teachers see your name beside what you can do, and where you need help.",
        "Your name in the list of your class",
    ),
    "insights": Told(
        "Count me in numbers about schools",
        "Your results are counted in numbers about classes and schools. Your name is not shown there, and groups of "
        "fewer than 10 are hidden.",
        "Your share in numbers about classes and schools",
    ),
    "research": Told(
        "Use it for research",
        "People who study how children learn may use what is kept.",
        "What research may use of all this",
    ),
}

BASES: Final = {
    Basis.consent: "This happens only if you say yes. You can change your mind at any time.",
    Basis.contract: "This is part of the service that was agreed on. It cannot be switched off by itself.",
    Basis.legal_obligation: "A law says that your school must do this. It cannot be switched off.",
    Basis.public_task: "Your school does this because it is its job. You may say that you do not want it.",
    Basis.legitimate_interest: "Your school has a reason of its own for this. You may say that you do not want it.",
}

_ROLES: Final = (
    ("dpo", "The privacy officer of your school"),
    ("operator", "Someone who runs Trellis for your school"),
    ("teacher", "A teacher"),
    ("authority", "Someone in charge of schools"),
    ("guardian", "Your parent or guardian"),
    ("app", "Your learning app"),
    ("credential", "A learning platform of your school"),
    ("service", "Trellis, by itself"),
    ("learner", "Another learner"),
)
_VERBS: Final = {
    AuditAction.saw: "looked at",
    AuditAction.changed: "changed",
    AuditAction.exported: "took a copy of",
    AuditAction.erased: "deleted",
    AuditAction.looked_up: "looked up",
}
_THINGS: Final = {
    "profile": "what you know and like",
    "timeline": "the list of what you did",
    "why": "why a computer thinks that you know something",
    "evidence": "how one of your tasks counts",
    "estimate": "what a teacher thinks that you know",
    "competency": "one thing that you learn",
    "growth": "how you got better at something",
    "contests": "what you said is wrong",
    "rosters": "the list of your class",
    "quarantine": "something that your learning app sent and that was not right",
    "recommendations": "your ideas for what to learn next",
    "report with names": "the page of your class, with your name",
    "statements": "what you did in your learning apps",
    "documents": "what your learning apps saved for you",
    "identities": "which learner you are",
    "person": "your names and accounts",
    "consents": "your choices",
    "requests": "what you asked for",
    "guardians": "who may act for you",
    "audit": "the list of who looked",
    "privacy": "this page",
}


def purpose(name: str, rule: PurposePolicy) -> Told:
    """The tenant's own purposes are told in the words of its policy."""
    told = PURPOSES.get(name)
    if told is None:
        title = name.replace("_", " ").replace("-", " ").capitalize()
        told = Told(title, rule.description or "Your school has not said more about this.", title)
    return told if not rule.description else Told(told.title, rule.description, told.held)


def who(roles: Collection[str], *, is_self: bool) -> str:
    if is_self:
        return "You"
    return next((text for role, text in _ROLES if role in roles), "Someone")


def did(action: AuditAction, what: str) -> str:
    """What was done, as the rest of a sentence."""
    kind, _, rest = what.partition("/")
    thing = _THINGS.get(kind, "something about you")
    if kind == "consents" and rest in PURPOSES:
        thing = f"your choice “{PURPOSES[rest].title}”"
    return f"{_VERBS[action]} {thing}"
