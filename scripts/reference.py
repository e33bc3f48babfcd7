"""Writes docs/settings.md and docs/metrics.md from the code: `python scripts/reference.py`."""

import importlib
import importlib.util
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings
from service_kit import metrics

DOCS: Final = Path(__file__).parent.parent / "docs"
PACKAGES: Final = ("service_kit", "ingest", "learner_profile", "recommendation", "privacy", "insights")

SETTINGS_HEAD: Final = """# Settings

Every process of every service reads its settings from the environment, once, at its start; a value that is not valid
stops it with the reason. This page is written by `make contracts` from the settings classes, and a test compares both.
"""
# Read by the tools on one machine (`make up`, `make demo`, `make test`) and by no service.
LOCAL: Final = (
    ("TRELLIS_DATA", "Folder of the local stack's data", "`.trellis`", "`make clean` wipes it."),
    ("TRELLIS_PORT_BASE", "First of the five ports of `make up` and `make run`", "`8001`", "None."),
    (
        "TRELLIS_MONGODB_URL",
        "Use this MongoDB instead of starting one",
        "a `mongod` of its own",
        "The demo tenant is written there: use no production cluster.",
    ),
    (
        "TRELLIS_KAFKA_BOOTSTRAP",
        "Use this Kafka instead of starting one",
        "a broker of its own",
        "The demo tenant is written there: use no production cluster.",
    ),
    ("TRELLIS_NAMESPACE", "Prefix of databases, topics and groups there", "empty", "None."),
)
METRICS_HEAD: Final = """# Metrics

Every process with `OTEL_EXPORTER_OTLP_ENDPOINT` set exports these once a minute
(`OTEL_METRIC_EXPORT_INTERVAL`, in milliseconds, changes that), beside what OpenTelemetry's instrumentation of FastAPI
says about requests: their rate, errors and durations. This page is written by `make contracts` from
`service_kit.metrics`, and a test compares the two.
"""


@dataclass(frozen=True)
class Setting:
    name: str
    meaning: str
    default: str
    danger: str


def settings_classes() -> Iterator[tuple[str, type[BaseSettings]]]:
    """Every settings class with the package that it belongs to, each once; wherever in the package it stands."""
    for package in PACKAGES:
        for module in _modules(package):
            for found in vars(module).values():
                if not (inspect.isclass(found) and issubclass(found, BaseSettings)):
                    continue
                if found.__module__ == module.__name__ and found.model_fields:
                    yield package, found


def _modules(package: str) -> Iterator[ModuleType]:
    """The package's own settings before those of its parts."""
    root = importlib.import_module(package)
    names = [one.name for one in pkgutil.walk_packages(root.__path__, f"{package}.")]
    names = [name for name in names if not name.endswith("__main__")]
    for name in sorted(names, key=lambda one: (one != f"{package}.settings", one)):
        yield importlib.import_module(name)


def settings() -> dict[str, list[Setting]]:
    """By the package that reads them."""
    found: dict[str, list[Setting]] = {}
    for package, settings_class in settings_classes():
        prefix = settings_class.model_config.get("env_prefix", "")
        rows = [_setting(prefix, name, info) for name, info in settings_class.model_fields.items()]
        found.setdefault(package, []).extend(rows)
    return found


def names() -> set[str]:
    """The environment variables that services read."""
    return {setting.name for group in settings().values() for setting in group}


def _setting(prefix: str, name: str, info: FieldInfo) -> Setting:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    danger = extra.get("danger")
    if not info.description or not danger:
        raise ValueError(f"the setting {prefix}{name} says not what it means, or not what is dangerous about it")
    value = info.default.get_secret_value() if isinstance(info.default, SecretStr) else info.default
    return Setting(f"{prefix}{name}".upper(), info.description, f"`{value}`" if value != "" else "empty", str(danger))


def settings_page() -> str:
    parts = [SETTINGS_HEAD]
    for package, group in settings().items():
        title = "Every service" if package == "service_kit" else package
        parts += [f"\n## {title}\n\n", _table("| name | meaning | default | danger |")]
        parts += [f"| `{s.name}` | {_cell(s.meaning)} | {_cell(s.default)} | {_cell(s.danger)} |\n" for s in group]
    parts += ["\n## The tools on one machine\n\n", _table("| name | meaning | default | danger |")]
    parts += [f"| `{name}` | {meaning} | {default} | {danger} |\n" for name, meaning, default, danger in LOCAL]
    return "".join(parts)


def metrics_page() -> str:
    parts = [METRICS_HEAD, "\n", _table("| name | kind | unit | meaning | when it moves |")]
    parts += [f"| `{m.name}` | {m.kind} | {m.unit} | {_cell(m.meaning)} | {_cell(m.action)} |\n" for m in metrics.ALL]
    return "".join(parts)


def _table(head: str) -> str:
    return f"{head}\n{'| --- ' * (head.count('|') - 1)}|\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def pages() -> dict[Path, str]:
    return {DOCS / "settings.md": settings_page(), DOCS / "metrics.md": metrics_page()}


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
