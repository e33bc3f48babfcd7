"""What the endpoints about learners ask of their callers."""

from typing import Annotated

from fastapi import Depends, Path, Query
from pydantic import AwareDatetime
from service_kit.auth import Principal, Role, require
from service_kit.languages import in_language

from learner_profile.learners.guardians import acting
from learner_profile.learners.languages import LANGUAGES, Language

Learner = Annotated[Principal, Depends(require(Role.learner))]
Reader = Annotated[Principal, Depends(acting(Role.app, Role.dpo, Role.learner, Role.teacher))]
Teacher = Annotated[Principal, Depends(require(Role.teacher))]
AsOf = Annotated[
    AwareDatetime | None, Query(description="the time at which forgetting is reckoned (with its offset); default: now")
]
Competency = Annotated[str, Path(max_length=2048, description="IRI of the competency, percent-encoded")]
Limit = Annotated[int, Query(ge=1, le=200)]
InLanguage = Annotated[Language, Depends(in_language(LANGUAGES))]
