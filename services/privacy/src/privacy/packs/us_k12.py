"""`us-k12`: a school in the United States: FERPA (34 CFR part 99) and, below 13, COPPA (16 CFR part 312)."""

from typing import Final

from events.payloads import Basis

from privacy.packs.pack import (
    ANY_BASIS,
    ChildConsent,
    Clause,
    Demands,
    Ground,
    Hold,
    Majority,
    Pack,
    Period,
    Right,
)

INSPECTION: Final = Clause("34 CFR 99.10(b)", "Inspection within a reasonable time, at most 45 days after the request.")

US_K12: Final = Pack(
    name="us-k12",
    summary="A school in the United States of America.",
    default_period=Period(INSPECTION, days=45),
    periods={
        Right.rectification: Period(
            Clause("34 CFR 99.20(b)", "A decision on amendment within a reasonable time: 45 days in this pack."),
            days=45,
        )
    },
    entitlements={
        Right.access: (ANY_BASIS, Clause("34 CFR 99.10(a)", "Parents and eligible students inspect and review.")),
        Right.rectification: (ANY_BASIS, Clause("34 CFR 99.20(a)", "A record that is wrong or misleading is amended.")),
        Right.erasure: (
            frozenset({Basis.consent}),
            Clause("16 CFR 312.6(a)(2)", "Below 13 a parent has what was collected by consent deleted."),
        ),
    },
    no_right=Clause(
        "34 CFR part 99", "FERPA gives no such right: it knows inspection and amendment, and no general erasure."
    ),
    grounds=(
        Ground(
            "education-record",
            Clause(
                "34 CFR part 99; 16 CFR 312.6(a)(2)",
                "FERPA knows no general erasure; what was not collected by consent from a child below 13 stays.",
            ),
            frozenset({Right.erasure}),
            ANY_BASIS - {Basis.consent},
        ),
        Ground(
            "record-is-accurate",
            Clause("34 CFR 99.20(c)", "The school does not amend: it says so, and offers a hearing."),
            frozenset({Right.rectification}),
        ),
        Ground(
            "other-students",
            Clause("34 CFR 99.12(a)", "Of a record on several students each sees the own part alone."),
            frozenset({Right.access}),
        ),
    ),
    holds=(
        Hold(
            Right.erasure,
            Right.access,
            Clause("34 CFR 99.10(e)", "Nothing is destroyed while a request to inspect it is open."),
        ),
    ),
    majority=Majority(
        Clause("34 CFR 99.3, 99.5(a)", "The rights pass to the student at 18 or on postsecondary enrolment."),
        18,
        postsecondary=True,
    ),
    child_consent=ChildConsent(
        Clause(
            "16 CFR 312.5(a)(1), (b); FTC COPPA FAQ N",
            "Below 13: verifiable parental consent, or the school's recorded authorisation for the school's own ends.",
        ),
        lowest=13,
        highest=13,
        giver="guardian_or_school",
    ),
    demands=Demands(
        retention=Clause("16 CFR 312.10", "A written retention period; nothing is kept indefinitely."),
        separate_disclosure=Clause(
            "16 CFR 312.5(a)(2)", "Disclosure to third parties needs a consent of its own, apart from that to use."
        ),
    ),
    hearing=(
        Clause("34 CFR 99.21(a)", "Who is refused an amendment is given the opportunity of a hearing."),
        Clause(
            "34 CFR 99.21(b)(2), (c)",
            "After a hearing lost, a statement stands beside the record as long as it is kept.",
        ),
        Clause("34 CFR 99.22", "The hearing: in reasonable time, with notice, before someone without an interest."),
    ),
    disclosures=Clause("34 CFR 99.32(a)(2)", "Each disclosure is recorded as long as the record itself is kept."),
)
