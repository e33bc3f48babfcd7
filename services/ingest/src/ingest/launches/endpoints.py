"""`/launches`: a token for one actor, activity and registration, so that a browser holds no secret."""

from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from service_kit.problems import NotFound

from ingest.credentials.credential import Credential
from ingest.credentials.secrets import digest, new_secret
from ingest.launches.cmi5 import launch_url
from ingest.launches.issuers import issuer
from ingest.launches.launching import Launched, token_of
from ingest.launches.schemas import AuthToken, Launch, NewLaunch
from ingest.state import state_of

NOT_RECORDED: Final = "Trellis-Not-Recorded"
NO_STORE: Final = "no-store"
ALREADY: Final = ("1", "The authorization token has already been returned, or the session has expired.")
UNKNOWN: Final = ("2", "There is no such launch.")
_SECURITY: Final[dict[str, Any]] = {"security": [{"xapi_basic": []}, {"bearer": []}]}
router = APIRouter(prefix="/launches", tags=["launches"])
Issuer = Annotated[Credential, Depends(issuer)]


@router.post("", status_code=201, openapi_extra=_SECURITY)
async def launch(body: NewLaunch, request: Request, response: Response, by: Issuer) -> Launch:
    """Let a browser write statements and state of one learner's attempt at one activity, for some hours.

    With `cmi5` the launch data and the `launched` statement are written too, before this answers.
    """
    made = await state_of(request).launcher.launch(by, body)
    response.headers["Cache-Control"] = NO_STORE
    if made.not_recorded:
        response.headers[NOT_RECORDED] = str(made.not_recorded)
    return _view(made, body.au_url, state_of(request).public_url or str(request.base_url).rstrip("/"))


@router.post("/{launch_id}/fetch", response_model_exclude_none=True)
async def fetch(
    launch_id: str, request: Request, response: Response, k: Annotated[str, Query(description="The URL's secret")] = ""
) -> AuthToken:
    """The launch's token, once (cmi5 8.2): it answers 200 also where it gives none, with the reason."""
    state, secret = state_of(request), new_secret()
    response.headers["Cache-Control"] = NO_STORE
    given = await state.launches.fetch(launch_id, digest(k), digest(secret), state.clock())
    if given:
        state.verifier.forget(launch_id)
        return AuthToken(auth_token=token_of(launch_id, secret))
    code, text = UNKNOWN if given is None else ALREADY
    return AuthToken(error_code=code, error_text=text)


@router.delete("/{launch_id}", status_code=204, openapi_extra=_SECURITY)
async def end(launch_id: str, request: Request, by: Issuer) -> Response:
    """End a launch before its time; other replicas of ingest notice within 15 seconds."""
    state = state_of(request)
    if not await state.launches.remove(by.tenant, launch_id):
        raise NotFound("There is no such launch")
    state.verifier.forget(launch_id)
    return Response(status_code=204)


def _view(made: Launched, au_url: str | None, base: str) -> Launch:
    launch, limits = made.launch, made.launch.limits
    endpoint, fetch_url = f"{base}/xapi/", f"{base}/launches/{launch.id}/fetch?k={made.fetch_secret}"
    parameters = {
        "endpoint": endpoint,
        "fetch": fetch_url,
        "actor": orjson.dumps(made.actor).decode(),
        "registration": limits.registration,
        "activityId": limits.activity,
    }
    return Launch(
        id=launch.id,
        expires_at=launch.expires_at,
        token=made.token,
        endpoint=endpoint,
        fetch=fetch_url,
        actor=made.actor,
        registration=limits.registration,
        activityId=limits.activity,
        launch_url=None if au_url is None else launch_url(au_url, parameters),
        session_id=made.session,
    )
