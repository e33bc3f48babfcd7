"""German."""

from typing import Final

from learner_profile.learners.languages.language import Counted, Language, Moved

GERMAN: Final = Language(
    code="de",
    decimal=",",
    one=frozenset({1}),
    moved=Moved(
        "hat die Zahl um {points} erhöht",
        "hat die Zahl um {points} gesenkt",
        "hat die Zahl nicht verändert",
    ),
    all_moved=Moved(
        "haben die Zahl um {points} erhöht",
        "haben die Zahl um {points} gesenkt",
        "haben die Zahl nicht verändert",
    ),
    start="Alle fangen bei {points} von 100 an.",
    general="Die Ergebnisse in allen Themen zusammen {all_moved}.",
    lately="Die letzten Antworten, egal in welchem Thema, {all_moved}.",
    time="Die Zeit ohne Üben {moved}.",
    own=Counted("Die Antwort zu diesem Thema {moved}.", "Die {count} Antworten zu diesem Thema {all_moved}."),
    above="Antworten zum größeren Thema, zu dem es gehört, {all_moved}: Sie sagen ein wenig über jeden Teil.",
    parts=Counted("Es besteht aus {count} Teil.", "Es besteht aus {count} Teilen."),
    all_known=Counted(
        "Über diesen Teil weiß man schon etwas: Er steht bei {points}.",
        "Über alle Teile weiß man schon etwas: Zusammen stehen sie bei {points}.",
    ),
    some_known=Counted(
        "Bisher weiß man über {known} davon etwas: Dieser Teil steht bei {points}.",
        "Bisher weiß man über {known} davon etwas: Zusammen stehen sie bei {points}.",
    ),
    own_part=Counted(
        "Eine Antwort galt allem zusammen: Das zählt wie ein Teil mehr und steht bei {points}.",
        "{count} Antworten galten allem zusammen: Das zählt wie ein Teil mehr und steht bei {points}.",
    ),
    part="„{title}“ steht bei {points} und zählt als eins von {count}.",
    number="Das ergibt {points}: So viele von 100 Fragen wie diesen würden richtig beantwortet.",
    rough="Das ist erst grob geschätzt, weil es noch so wenige Antworten gibt.",
    right="Eine richtige Antwort {moved}",
    partly="Eine zum Teil richtige Antwort {moved}",
    wrong="Eine falsche Antwort {moved}",
    group="Ein Ergebnis aus einer Gruppe {moved}",
    seen="Das Ansehen {moved}",
    to=", auf {points}.",
    at=": Sie blieb bei {points}.",
    corrected="Eine Lehrkraft hat das Ergebnis berichtigt.",
    confirmed="Eine Lehrkraft hat es bestätigt.",
    contested="Jemand hat gesagt, dass das nicht stimmt: Es wartet auf eine Lehrkraft.",
    left_out="Eine Lehrkraft hat entschieden, dass es nicht zählt.",
    whole="Das Ergebnis des Ganzen: Stattdessen zählen die einzelnen Antworten.",
    several="Eine Note für mehrere Dinge zusammen: Stattdessen zählen die einzelnen Ergebnisse.",
    holds="Statt dieser Zahl gilt, was eine Lehrkraft dazu gesagt hat.",
    disputed="Statt dieser Zahl gilt, was eine Lehrkraft dazu gesagt hat; die Antworten seitdem sagen etwas anderes.",
    lapsed="Statt dieser Zahl galt, was eine Lehrkraft dazu gesagt hat; jetzt gibt es genug neue Antworten, und es "
    "gelten wieder diese.",
    set_aside="Eine Lehrkraft hat das beiseitegelegt: Kein Vorschlag beruht darauf.",
    counts_again="Eine Lehrkraft lässt das wieder zählen.",
)
