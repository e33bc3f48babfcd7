"""What crosses the wire: 1EdTech CASE 1.0 and 1.1 packages, as far as they say what is a part of what."""

from typing import Annotated

from events.payloads import Threshold
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
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
    statement: str = Field(max_length=20_000, alias="fullStatement")
    short: Annotated[str, Field(max_length=2000)] | None = Field(None, alias="abbreviatedStatement")
    code: Annotated[str, Field(max_length=200)] | None = Field(None, alias="humanCodingScheme")


class Node(Case):
    """An end of an association; where only a URI is given, that."""

    identifier: Identifier | None = None
    uri: Annotated[str, Field(max_length=2048)] | None = None


def _from_text(value: object) -> object:
    return {"uri": value} if isinstance(value, str) else value


End = Annotated[Node, BeforeValidator(_from_text)]


class Association(Case):
    type: str = Field(max_length=100, alias="associationType")
    origin: End = Field(alias="originNodeURI")
    destination: End = Field(alias="destinationNodeURI")


class Package(Case):
    """A CASE package: `GET /CFPackages/{id}` of any CASE provider."""

    document: Document = Field(alias="CFDocument")
    items: list[Item] = Field(alias="CFItems")
    associations: list[Association] = Field(default_factory=list, alias="CFAssociations")


class ThresholdBody(BaseModel):
    """From which probability of a right response on a competency counts as mastered."""

    model_config = ConfigDict(extra="forbid")

    mastery_threshold: Threshold


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
