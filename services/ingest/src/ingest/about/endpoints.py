"""`/xapi/about`: open to all (1.0.3 Communication 2.8)."""

from fastapi import APIRouter
from pydantic import BaseModel
from xapi import ABOUT_VERSIONS

router = APIRouter(prefix="/xapi", tags=["xapi"])


class About(BaseModel):
    version: list[str]


@router.get("/about")
@router.head("/about", include_in_schema=False)
async def about() -> About:
    """The versions of xAPI that are spoken here."""
    return About(version=list(ABOUT_VERSIONS))
