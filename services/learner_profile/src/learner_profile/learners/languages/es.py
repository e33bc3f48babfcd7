"""Spanish."""

from typing import Final

from learner_profile.learners.languages.language import Counted, Language, Moved

SPANISH: Final = Language(
    code="es",
    decimal=",",
    one=frozenset({1}),
    moved=Moved(
        "ha subido el número en {points}",
        "ha bajado el número en {points}",
        "no ha cambiado el número",
    ),
    all_moved=Moved(
        "han subido el número en {points}",
        "han bajado el número en {points}",
        "no han cambiado el número",
    ),
    start="Todos empiezan en {points} de 100.",
    general="Los resultados en todos los temas juntos {all_moved}.",
    lately="Las últimas respuestas, en cualquier tema, {all_moved}.",
    time="El tiempo sin practicar {moved}.",
    own=Counted("La respuesta sobre este tema {moved}.", "Las {count} respuestas sobre este tema {all_moved}."),
    above="Las respuestas sobre el tema más grande que lo rodea {all_moved}: dicen un poco de cada parte.",
    parts=Counted("Tiene {count} parte.", "Tiene {count} partes."),
    all_known=Counted(
        "Ya se sabe algo de esta parte: está en {points}.",
        "Ya se sabe algo de todas las partes: juntas están en {points}.",
    ),
    some_known=Counted(
        "Por ahora se sabe algo de {known} de ellas: esta parte está en {points}.",
        "Por ahora se sabe algo de {known} de ellas: juntas están en {points}.",
    ),
    own_part=Counted(
        "Una respuesta era sobre todo junto: eso cuenta como una parte más, y está en {points}.",
        "{count} respuestas eran sobre todo junto: eso cuenta como una parte más, y está en {points}.",
    ),
    part="«{title}» está en {points} y es una parte de {count}.",
    number="Eso da {points}: de 100 preguntas como estas, son las que se responderían bien.",
    rough="Todavía es una idea aproximada, porque hay muy pocas respuestas.",
    right="Una respuesta correcta {moved}",
    partly="Una respuesta en parte correcta {moved}",
    wrong="Una respuesta equivocada {moved}",
    group="Un resultado conseguido en grupo {moved}",
    seen="Mirarlo {moved}",
    to=", hasta {points}.",
    at=": se quedó en {points}.",
    corrected="Una profesora o un profesor ha corregido el resultado.",
    confirmed="Una profesora o un profesor lo ha confirmado.",
    contested="Alguien ha dicho que está mal: espera a una profesora o un profesor.",
    left_out="Una profesora o un profesor decidió que no cuenta.",
    whole="El resultado del conjunto: en su lugar cuentan las respuestas una por una.",
    several="Una nota para varias cosas juntas: en su lugar cuentan los resultados uno por uno.",
    holds="En lugar de este número se usa lo que piensa una profesora o un profesor.",
    disputed="En lugar de este número se usa lo que piensa una profesora o un profesor; las respuestas desde entonces "
    "dicen otra cosa.",
    lapsed="En lugar de este número se usaba lo que pensaba una profesora o un profesor; ya hay bastantes respuestas "
    "nuevas para volver a usarlas.",
    set_aside="Una profesora o un profesor ha apartado esto: nada de lo que se propone se basa en ello.",
    counts_again="Una profesora o un profesor ha hecho que esto cuente de nuevo.",
)
