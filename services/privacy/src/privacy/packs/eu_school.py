"""`eu-school`: a school under the General Data Protection Regulation, (EU) 2016/679."""

from typing import Final

from events.payloads import Basis

from privacy.packs.pack import (
    ANY_BASIS,
    ChildConsent,
    Clause,
    Demands,
    Ground,
    Majority,
    Pack,
    Period,
    Right,
)

ONE_MONTH: Final = Clause(
    "GDPR 12(3)", "Answer within one month; two more where needed, told with reasons in the first."
)
EVERY_RIGHT: Final = frozenset(Right)
OBJECTED: Final = frozenset({Basis.public_task, Basis.legitimate_interest})

EU_SCHOOL: Final = Pack(
    name="eu-school",
    summary="A school in the European Union.",
    default_period=Period(ONE_MONTH, months=1, extension_months=2),
    entitlements={
        Right.access: (ANY_BASIS, Clause("GDPR 15", "A copy of the data and what is done with them.")),
        Right.portability: (
            frozenset({Basis.consent, Basis.contract}),
            Clause(
                "GDPR 20(1)", "What the learner provided, machine-readable, where consent or a contract is the basis."
            ),
        ),
        Right.rectification: (ANY_BASIS, Clause("GDPR 16", "What is wrong is put right.")),
        Right.erasure: (ANY_BASIS, Clause("GDPR 17(1)", "Erased, unless a ground of 17(3) stands against it.")),
        Right.restriction: (ANY_BASIS, Clause("GDPR 18(1)", "Kept, and nothing else done with it.")),
        Right.objection: (
            OBJECTED,
            Clause("GDPR 21(1)", "Processing stops until compelling legitimate grounds are shown."),
        ),
    },
    no_right=Clause("GDPR 12(4)", "The right does not exist for this lawful basis; the learner is told why."),
    grounds=(
        Ground(
            "freedom-of-expression",
            Clause("GDPR 17(3)(a)", "Needed for freedom of expression and information."),
            frozenset({Right.erasure}),
        ),
        Ground(
            "legal-obligation-or-public-task",
            Clause("GDPR 17(3)(b)", "Needed for a legal obligation or a task in the public interest."),
            frozenset({Right.erasure}),
            frozenset({Basis.legal_obligation, Basis.public_task}),
        ),
        Ground(
            "public-health",
            Clause("GDPR 17(3)(c)", "Needed for reasons of public health."),
            frozenset({Right.erasure}),
        ),
        Ground(
            "archiving-or-research",
            Clause(
                "GDPR 17(3)(d)", "Needed for archiving, research or statistics that erasure would seriously impair."
            ),
            frozenset({Right.erasure}),
        ),
        Ground(
            "legal-claims",
            Clause("GDPR 17(3)(e)", "Needed to establish, exercise or defend legal claims."),
            frozenset({Right.erasure}),
        ),
        Ground(
            "compelling-grounds",
            Clause("GDPR 21(1)", "Compelling legitimate grounds override the learner's interests, or legal claims do."),
            frozenset({Right.objection}),
            OBJECTED,
        ),
        Ground(
            "rights-of-others",
            Clause("GDPR 15(4), 20(4)", "A copy must not adversely affect the rights of others."),
            frozenset({Right.access, Right.portability}),
        ),
        Ground(
            "unfounded-or-excessive",
            Clause("GDPR 12(5)(b)", "Manifestly unfounded or excessive; the controller has to show it."),
            EVERY_RIGHT,
        ),
        Ground(
            "not-identified",
            Clause("GDPR 11(2), 12(2)", "The controller shows that it cannot identify the learner."),
            EVERY_RIGHT,
        ),
    ),
    majority=Majority(
        Clause("GDPR recital 38, 8(3)", "Parental responsibility follows national law: it ends at 18 in this pack."), 18
    ),
    child_consent=ChildConsent(
        Clause(
            "GDPR 8(1)",
            "Below 16, or what national law sets from 13 on, a guardian consents to an online service offered directly "
            "to a child; for other consent, and other bases, no age is set.",
        ),
        lowest=13,
        highest=16,
        giver="guardian",
        offered_directly=True,
    ),
    demands=Demands(
        controller=Clause("GDPR 13(1)(a)", "The notice names the controller and its contact."),
        retention=Clause("GDPR 13(2)(a)", "The notice says how long data are kept."),
        notice=Clause("GDPR 12(1), 13", "A notice in clear and plain language, its version and language known."),
    ),
    identity_check=Clause("GDPR 12(6)", "Where there are reasonable doubts, ask for what confirms the identity."),
    disclosures=Clause("GDPR 19", "Whoever received the data is told of rectification, erasure and restriction."),
)
