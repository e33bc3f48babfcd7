"""French."""

from typing import Final

from learner_profile.learners.languages.language import Counted, Language, Moved

FRENCH: Final = Language(
    code="fr",
    decimal=",",
    one=frozenset({0, 1}),
    moved=Moved(
        "a fait monter le nombre de {points}",
        "a fait baisser le nombre de {points}",
        "n’a pas changé le nombre",
    ),
    all_moved=Moved(
        "ont fait monter le nombre de {points}",
        "ont fait baisser le nombre de {points}",
        "n’ont pas changé le nombre",
    ),
    start="Tout le monde commence à {points} sur 100.",
    general="Les résultats dans tous les sujets ensemble {all_moved}.",
    lately="Les dernières réponses, quel que soit le sujet, {all_moved}.",
    time="Le temps sans exercice {moved}.",
    own=Counted("La réponse sur ce sujet {moved}.", "Les {count} réponses sur ce sujet {all_moved}."),
    above="Les réponses sur le sujet plus grand autour de celui-ci {all_moved} : elles disent un peu de chaque partie.",
    parts=Counted("Il y a {count} partie.", "Il y a {count} parties."),
    all_known=Counted(
        "On sait déjà quelque chose de cette partie : elle est à {points}.",
        "On sait déjà quelque chose de toutes les parties : ensemble, elles sont à {points}.",
    ),
    some_known=Counted(
        "Pour l’instant, on ne sait quelque chose que sur {known} : cette partie est à {points}.",
        "Pour l’instant, on ne sait quelque chose que sur {known} : ensemble, elles sont à {points}.",
    ),
    own_part=Counted(
        "Une réponse portait sur le tout : cela compte comme une partie de plus, qui est à {points}.",
        "{count} réponses portaient sur le tout : cela compte comme une partie de plus, qui est à {points}.",
    ),
    part="« {title} » est à {points} et compte pour une partie sur {count}.",
    number="Cela donne {points} : c’est le nombre de réponses justes qu’on attend sur 100 questions comme celles-ci.",
    rough="C’est encore une idée approximative, car il y a très peu de réponses.",
    right="Une réponse juste {moved}",
    partly="Une réponse juste en partie {moved}",
    wrong="Une réponse fausse {moved}",
    group="Un résultat obtenu en groupe {moved}",
    seen="Le fait de regarder {moved}",
    to=", jusqu’à {points}.",
    at=" : il est resté à {points}.",
    corrected="Un professeur a corrigé le résultat.",
    confirmed="Un professeur l’a confirmé.",
    contested="Quelqu’un a dit que c’est faux : cela attend un professeur.",
    left_out="Un professeur a décidé que cela ne compte pas.",
    whole="Le résultat du tout : à sa place, ce sont les réponses une par une qui comptent.",
    several="Une note pour plusieurs choses ensemble : à sa place, ce sont les résultats un par un qui comptent.",
    holds="À la place de ce nombre, on utilise l’avis d’un professeur.",
    disputed="À la place de ce nombre, on utilise l’avis d’un professeur ; les réponses données depuis disent autre "
    "chose.",
    lapsed="À la place de ce nombre, on utilisait l’avis d’un professeur ; il y a maintenant assez de nouvelles "
    "réponses pour s’y fier à nouveau.",
    set_aside="Un professeur a mis cela de côté : rien de ce qui est proposé ne s’en sert.",
    counts_again="Un professeur a dit que cela compte à nouveau.",
)
