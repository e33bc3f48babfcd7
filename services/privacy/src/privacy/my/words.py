"""What things are called on a learner's page."""

from collections.abc import Collection

from events.payloads import AuditAction, PurposePolicy

from privacy.my.languages import Language, Told


def purpose(name: str, rule: PurposePolicy, language: Language) -> Told:
    """The tenant's own purposes are told in the words of its policy."""
    told = language.purposes.get(name)
    if told is None:
        title = name.replace("_", " ").replace("-", " ").capitalize()
        told = Told(title, rule.description or language.texts["not_said"], title)
    return told if not rule.description else Told(told.title, rule.description, told.held)


def sentence(roles: Collection[str], action: AuditAction, what: str, language: Language, *, is_self: bool) -> str:
    """Who did what, of an entry of the audit."""
    fitting = ["self"] if is_self else roles
    who = next((text for role, text in language.roles.items() if role in fitting), language.roles[""])
    kind, _, rest = what.partition("/")
    thing = language.things.get(kind, language.things[""])
    if kind == "consents" and rest in language.purposes:
        thing = language.choice.format(title=language.purposes[rest].title)
    return language.sentences[action].format(who=who, thing=thing)
