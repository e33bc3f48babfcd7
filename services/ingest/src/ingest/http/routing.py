"""Routes that many requests take."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class DirectRoute(APIRoute):
    """Calls an endpoint that takes the request and one dependency (who calls) and answers with a `Response`.

    FastAPI's general way, which reads any signature and checks any answer, costs more than the rest of a short request:
    see `docs/adr/0027-the-cost-of-a-request.md`. OpenAPI tells of the route as of any other.
    """

    def get_route_handler(self) -> Handler:
        request, (needed,), endpoint = self.dependant.request_param_name, self.dependant.dependencies, self.endpoint
        given, caller, caller_of = needed.request_param_name, needed.name, needed.call
        if request is None or given is None or caller is None or caller_of is None or needed.dependencies:
            raise TypeError(f"{self.path}: a direct route takes the request and who calls")

        async def handle(received: Request) -> Response:
            credential = await caller_of(**{given: received})
            answer: Response = await endpoint(**{request: received, caller: credential})
            return answer

        return handle
