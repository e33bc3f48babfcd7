"""A CASE package as competencies: what is a part of what, and what comes before what. Plain functions.

`isChildOf` and `isPartOf` lead from the part to the whole, `precedes` from what comes before to what comes after
(1EdTech CASE 1.1, Information Model, CFAssociation). The document stands as the topmost competency: what names it as
the destination is a part of it.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Final

from events.payloads import CatalogCompetency

from recommendation.frameworks.schemas import Node, Package

_PARTS: Final = ("isChildOf", "isPartOf")
_BEFORE: Final = "precedes"
MOST_LINKS: Final = 50
"""Parents, and prerequisites, of one competency."""
_TITLE_CHARS: Final = 300


@dataclass(frozen=True)
class Framework:
    """`competencies` by id, the document among them."""

    id: str
    title: str
    competencies: tuple[CatalogCompetency, ...]
    passed_over: int


def framework_of(package: Package) -> Framework:
    """The package's competencies; associations that say something else or lead out of it are counted."""
    document = package.document
    parents: defaultdict[str, dict[str, None]] = defaultdict(dict)
    before: defaultdict[str, dict[str, None]] = defaultdict(dict)
    links = _links(package)
    passed_over = len(package.associations) - len(links)
    for _, kind, origin, destination in links:
        if kind in _PARTS:
            parents[origin][destination] = None
        elif kind == _BEFORE:
            before[destination][origin] = None
        else:
            passed_over += 1
    top = CatalogCompetency(id=document.uri, title=document.title[:_TITLE_CHARS], framework=document.uri)
    found = {
        item.uri: CatalogCompetency(
            id=item.uri,
            title=(item.short or item.statement or item.code or item.uri)[:_TITLE_CHARS],
            framework=document.uri,
            code=item.code or None,
            parents=list(parents[item.uri])[:MOST_LINKS],
            prerequisites=list(before[item.uri])[:MOST_LINKS],
        )
        for item in package.items
    }
    return Framework(document.uri, document.title, (top, *(found[iri] for iri in sorted(found))), passed_over)


def twice(package: Package) -> list[dict[str, str]]:
    """The places of items whose identifier or `uri` another item before them, or the document, has."""
    document = package.document
    seen = {"identifier": {document.identifier}, "uri": {document.uri}}
    found = []
    for number, item in enumerate(package.items):
        for name, value in (("identifier", item.identifier), ("uri", item.uri)):
            if value in seen[name]:
                found.append({"pointer": f"/CFItems/{number}/{name}", "detail": "stands in the package twice"})
            seen[name].add(value)
    return found


def circle(package: Package) -> list[dict[str, str]]:
    """The place of an association by which items come before themselves: none of them could ever be begun."""
    before: dict[str, set[str]] = {}
    places: dict[tuple[str, str], int] = {}
    for number, kind, origin, destination in _links(package):
        if kind == _BEFORE:
            before.setdefault(destination, set()).add(origin)
            places[origin, destination] = number
    try:
        TopologicalSorter(before).prepare()
    except CycleError as error:
        around: list[str] = error.args[1]
        last = max(places[pair] for pair in pairwise(around))
        detail = f"closes a circle of {len(around) - 1} items that each come before the next"
        return [{"pointer": f"/CFAssociations/{last}", "detail": detail}]
    return []


def _links(package: Package) -> list[tuple[int, str, str, str]]:
    """Associations between two of the items and the document: place, what it says, from where, to where."""
    document = package.document
    names = {document.identifier: document.uri, document.uri: document.uri}
    names |= {name: item.uri for item in package.items for name in (item.identifier, item.uri)}
    named = (
        (k, one.type, _named(one.origin, names), _named(one.destination, names))
        for k, one in enumerate(package.associations)
    )
    return [(k, kind, a, b) for k, kind, a, b in named if a is not None and b is not None and a != b]


def _named(node: Node, names: Mapping[str, str]) -> str | None:
    return names.get(node.identifier or "") or names.get(node.uri or "")
