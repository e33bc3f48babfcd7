"""What crosses the wire: 1EdTech CASE 1.0 and 1.1 packages, as far as they say what is a part of what."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator
from xapi.models import IRI

Uri = Annotated[str, Field(max_length=2048, pattern=IRI)]
Identifier = Annotated[str, Field(min_length=1, max_length=200)]


class Case(BaseModel):
    """What CASE has beyond this is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Document(Case):
    identifier: Identifier
    uri: Uri
    title: Annotated[str, Field(min_length=1, max_length=2000)]


class Item(Case):
    identifier: Identifier
    uri: Uri
    fullStatement: Annotated[str, Field(min_length=1, max_length=20_000)]
    abbreviatedStatement: Annotated[str, Field(max_length=2000)] | None = None
    humanCodingScheme: Annotated[str, Field(max_length=200)] | None = None


class Node(Case):
    """An end of an association; where only a URI is given, that."""

    identifier: Identifier | None = None
    uri: Annotated[str, Field(max_length=2048)] | None = None


class Association(Case):
    associationType: Annotated[str, Field(max_length=100)]
    originNodeURI: Node
    destinationNodeURI: Node

    @field_validator("originNodeURI", "destinationNodeURI", mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        return {"uri": value} if isinstance(value, str) else value


class CFPackage(Case):
    """A CASE package: `GET /CFPackages/{id}` of any CASE provider."""

    CFDocument: Document
    CFItems: list[Item]
    CFAssociations: list[Association] = Field(default_factory=list)


class FrameworkResult(BaseModel):
    """What an import did. `removed`: competencies that this framework no longer has; `passed_over`: associations that
    say neither what is a part of what nor what comes before what, or lead out of the package.
    """

    framework: str
    title: str
    competencies: int
    changed: int
    unchanged: int
    removed: int
    passed_over: int
