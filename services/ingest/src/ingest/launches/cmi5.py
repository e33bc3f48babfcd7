"""What cmi5 (Quartz) has the LMS write before a launch, without I/O."""

from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl as pairs_of
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from xapi.parsing import JsonObject

from ingest.launches.schemas import Cmi5

EXTENSIONS: Final = "https://w3id.org/xapi/cmi5/context/extensions/"
CATEGORY: Final = "https://w3id.org/xapi/cmi5/context/categories/cmi5"
LAUNCHED: Final = "http://adlnet.gov/expapi/verbs/launched"
PARAMETERS: Final = ("endpoint", "fetch", "actor", "registration", "activityId")


def launch_data(cmi5: Cmi5, session: str) -> JsonObject:
    """The document LMS.LaunchData (10.2)."""
    given = cmi5.model_dump(mode="json", exclude_none=True, exclude={"publisherId", "sessionId", "contextTemplate"})
    return {"contextTemplate": context_template(cmi5, session), **given}


def context_template(cmi5: Cmi5, session: str) -> JsonObject:
    """With the session's id and the publisher's id of the AU (10.2.1), whatever else the LMS has put there."""
    template = cmi5.contextTemplate
    activities: JsonObject = dict(template.get("contextActivities", {}))
    activities["grouping"] = _with(activities.get("grouping"), cmi5.publisherId)
    extensions = {**template.get("extensions", {}), f"{EXTENSIONS}sessionid": session}
    return {**template, "contextActivities": activities, "extensions": extensions}


def launched(
    cmi5: Cmi5, session: str, *, actor: JsonObject, activity: str, registration: str, au_url: str, now: datetime
) -> JsonObject:
    """The statement that the LMS makes before it launches (9.3.1, 9.6)."""
    context = context_template(cmi5, session)
    activities = context["contextActivities"]
    about = {
        "launchmode": cmi5.launchMode.value,
        "launchurl": au_url,
        "moveon": cmi5.moveOn.value,
        "masteryscore": cmi5.masteryScore,
        "launchparameters": cmi5.launchParameters,
    }
    extensions = {f"{EXTENSIONS}{name}": value for name, value in about.items() if value is not None}
    return {
        "actor": actor,
        "verb": {"id": LAUNCHED, "display": {"en": "launched"}},
        "object": {"id": activity},
        "context": {
            **context,
            "registration": registration,
            "contextActivities": {**activities, "category": _with(activities.get("category"), CATEGORY)},
            "extensions": context["extensions"] | extensions,
        },
        "timestamp": now.isoformat(),
    }


def launch_url(au_url: str, parameters: dict[str, str]) -> str:
    """The AU's URL with the five parameters (8.1)."""
    parts = urlsplit(au_url)
    added = urlencode(parameters, quote_via=quote)
    return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))


def taken_parameters(au_url: str) -> list[str]:
    """Names of the AU's own that collide with those of the launch (8.1)."""
    own = {name for name, _ in pairs_of(urlsplit(au_url).query, keep_blank_values=True)}
    return [name for name in PARAMETERS if name in own]


def _with(activities: Any, activity: str) -> list[Any]:
    """The list (one activity may stand alone) with this activity in it."""
    held = activities if isinstance(activities, list) else [] if activities is None else [activities]
    return held if {"id": activity} in held else [*held, {"id": activity}]
