"""English."""

from typing import Final

from learner_profile.learners.languages.language import Counted, Language, Moved

_MOVED: Final = Moved("raised it by {points}", "lowered it by {points}", "left it where it was")

ENGLISH: Final = Language(
    code="en",
    decimal=".",
    one=frozenset({1}),
    moved=_MOVED,
    all_moved=_MOVED,
    start="Everyone begins at {points} of 100.",
    general="How it goes in all topics together {moved}.",
    lately="How the last answers went, in any topic, {moved}.",
    time="Time without practice {moved}.",
    own=Counted("The answer on this topic {moved}.", "The {count} answers on this topic {all_moved}."),
    above="Answers on the larger topic around it {all_moved}: they say a little about each part.",
    parts=Counted("It consists of {count} part.", "It consists of {count} parts."),
    all_known=Counted(
        "All of them are known so far, and stand at {points}.", "All of them are known so far, and stand at {points}."
    ),
    some_known=Counted(
        "{known} of them is known so far, and stand at {points}.",
        "{known} of them are known so far, and stand at {points}.",
    ),
    own_part=Counted(
        "One answer was about all of it together: that counts as one part more, and stands at {points}.",
        "{count} answers were about all of it together: that counts as one part more, and stands at {points}.",
    ),
    part="{title} stands at {points} and is one of {count}.",
    number="That makes {points}: so many of 100 questions like these would be answered right.",
    rough="It is a rough guess as yet, by so few answers.",
    right="A right answer {moved}",
    partly="An answer that was right in part {moved}",
    wrong="A wrong answer {moved}",
    group="A result reached in a group {moved}",
    seen="Looking at it {moved}",
    to=", to {points}.",
    at=", at {points}.",
    corrected="A teacher has corrected the result.",
    confirmed="A teacher has confirmed it.",
    contested="Said to be wrong: it waits for a teacher.",
    left_out="A teacher decided that it does not count.",
    whole="The result of the whole: its single answers count in its place.",
    several="A grade for several things together: the single results count in its place.",
    holds="A teacher's judgement is used in the place of this number.",
    disputed="A teacher's judgement is used in its place; the answers since then say something else.",
    lapsed="A teacher's judgement stood in its place; there are enough new answers to go by these again.",
    set_aside="A teacher has set this aside: nothing that is offered rests on it.",
    counts_again="A teacher has let this count again.",
)
