"""`/xapi/about`: open to all, in whatever version (1.0.3 Communication 2.8; 2.0 4.1.6.7)."""

from typing import Any, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel
from service_kit.app import VERSION
from xapi import ABOUT_VERSIONS

from ingest.documents.writing import LARGEST
from ingest.state import state_of
from ingest.statements.reading import PAGE

router = APIRouter(prefix="/xapi", tags=["xapi"])
SOFTWARE: Final = "https://trellis.invalid/extensions/software"
LIMITS: Final = "https://trellis.invalid/extensions/limits"


class About(BaseModel):
    version: list[str]
    extensions: dict[str, Any]


@router.get("/about")
@router.head("/about", include_in_schema=False)
async def about(request: Request) -> About:
    """The versions of xAPI that are spoken here; what speaks them, and how much it takes at once."""
    limits = {
        "statements_in_a_request": state_of(request).xapi.statements_limit,
        "statements_in_an_answer": PAGE,
        "document_bytes": LARGEST,
    }
    return About(
        version=list(ABOUT_VERSIONS),
        extensions={SOFTWARE: {"name": "Trellis", "version": VERSION}, LIMITS: limits},
    )
