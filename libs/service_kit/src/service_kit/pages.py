"""Pages made on the server: templates of a folder, one style sheet within them, no script, nothing from elsewhere."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined


class Pages:
    """The templates of a folder, in which `style.css` lies too."""

    def __init__(self, folder: Path, *, filters: Mapping[str, Callable[..., str]] | None = None, **names: Any) -> None:
        """`filters` and `names` are there in every template."""
        self.style = (folder / "style.css").read_text(encoding="utf-8")
        self.headers = _headers(self.style)
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(style=self.style, **names)
        self._environment.filters.update({"day": day, **(filters or {})})

    def __call__(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        return HTMLResponse(self._environment.get_template(template).render(**values), status, headers=self.headers)


def day(at: datetime) -> str:
    """As in 3 May 2026."""
    return f"{at.day} {at:%B %Y}"


def _headers(style: str) -> dict[str, str]:
    """Of every answer: the style sheet is named by its digest, and all else is forbidden."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return {
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
