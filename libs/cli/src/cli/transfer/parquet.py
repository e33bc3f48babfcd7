"""Rows to Parquet, a group of rows at a time: what is held does not grow with the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO, Any, Final

from cli.oulad.errors import ImportStopped
from cli.transfer.columns import Row, row_of

GROUP_ROWS: Final = 5_000
_TEXT: Final = (
    *("verb", "object_type", "activity", "actor_type", "actor_mbox", "actor_mbox_sha1sum", "actor_openid"),
    *("actor_account_home_page", "actor_account_name", "registration"),
)


def write(lines: Iterable[bytes], out: IO[bytes]) -> None:
    """Raises `ImportStopped` where the library is not there."""
    arrow, files = _library()
    schema = _schema(arrow)
    with files.ParquetWriter(out, schema, compression="zstd") as writer:
        for rows in _groups(row_of(line) for line in lines):
            writer.write_table(arrow.Table.from_pylist(rows, schema=schema))


def _groups(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while group := list(islice(rows, GROUP_ROWS)):
        yield group


def _schema(arrow: Any) -> Any:
    moment = arrow.timestamp("us", tz="UTC")
    return arrow.schema(
        [
            arrow.field("id", arrow.string(), nullable=False),
            arrow.field("stored", moment, nullable=False),
            arrow.field("timestamp", moment),
            *(arrow.field(name, arrow.string()) for name in _TEXT),
            arrow.field("success", arrow.bool_()),
            arrow.field("completion", arrow.bool_()),
            *(arrow.field(f"score_{name}", arrow.float64()) for name in ("scaled", "raw", "min", "max")),
            arrow.field("duration_seconds", arrow.float64()),
            arrow.field("voided", arrow.bool_(), nullable=False),
            arrow.field("statement", arrow.string(), nullable=False),
            arrow.field("original_stored", moment),
            arrow.field("original_authority", arrow.string()),
        ]
    )


def _library() -> tuple[Any, Any]:
    """Looked for here alone: it is large, and nothing else needs it."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ImportStopped("Parquet needs pyarrow: install `trellis-cli[parquet]`") from None
    return pyarrow, pyarrow.parquet
