"""A model as bytes: one canonical JSON text, and a reader that believes nothing.

Canonical: UTF-8, keys sorted, no spaces, floats in Python's shortest form that reads back to the same double. There is
exactly one text per model, so its sha256 names the model. The reader refuses every other text, which makes every byte
count. Nothing is ever unpickled.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from chassis.rules import Invalid
from services.retention.features.rules import BY_NAME, SCHEMA_VERSION
from services.retention.models.rules import (
    Calibration,
    CategoricalTable,
    Model,
    NumericTable,
    Provenance,
    Table,
    is_numeric,
)

FORMAT: Final = "holdfast.retention.model.v1"
MAX_BYTES: Final = 1 << 20
MAX_LOG_ODDS: Final = 100.0
"""No score, slope or offset lies beyond this; exp(100) is past any odds that data can support."""


def encode(model: Model) -> bytes:
    """The canonical text of a model."""
    document = {
        "calibration": {"offset": model.calibration.offset, "slope": model.calibration.slope},
        "format": FORMAT,
        "horizon_months": model.horizon_months,
        "intercept": model.intercept,
        "provenance": {
            "data_digest": model.provenance.data_digest,
            "positives": model.provenance.positives,
            "rows": model.provenance.rows,
            "seed": model.provenance.seed,
        },
        "schema_version": model.schema_version,
        "tables": [_table_document(table) for table in model.tables],
    }
    return _canonical(document)


def digest(data: bytes) -> str:
    """The sha256 of a model's text, in lower-case hex: the model's name."""
    return hashlib.sha256(data).hexdigest()


def decode(data: bytes) -> Model:
    """The model of a canonical text.

    Raises:
        Invalid: anything is not as it must be; `field` is the path of the first fault, such as `tables[3].edges[2]`.
    """
    document, canonical = _parse(data)
    if canonical != data:
        _refuse("model", "is not in canonical form")
    top = _object(document, "model", {"calibration", "format", "horizon_months", "intercept", "provenance",
                                      "schema_version", "tables"})  # fmt: skip
    if top["format"] != FORMAT:
        _refuse("format", f"must be {FORMAT}")
    if _integer(top["schema_version"], "schema_version") != SCHEMA_VERSION:
        _refuse("schema_version", f"is {top['schema_version']}, this service reads {SCHEMA_VERSION}")
    return Model(
        intercept=_number(top["intercept"], "intercept"),
        tables=_tables(top["tables"]),
        calibration=_calibration(top["calibration"]),
        horizon_months=_integer(top["horizon_months"], "horizon_months", 1, 120),
        provenance=_provenance(top["provenance"]),
    )


def _canonical(document: Any) -> bytes:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def _table_document(table: Table) -> dict[str, Any]:
    common = {"feature": table.feature, "mean": table.mean, "missing": table.missing}
    if isinstance(table, NumericTable):
        return {**common, "edges": list(table.edges), "kind": "numeric", "scores": list(table.scores)}
    return {**common, "kind": "categorical", "scores": dict(table.scores)}


def _parse(data: bytes) -> tuple[Any, bytes]:
    if len(data) > MAX_BYTES:
        _refuse("model", f"is larger than {MAX_BYTES} bytes")
    try:
        document = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
        return document, _canonical(document)
    except (ValueError, RecursionError):
        raise Invalid("model is not valid JSON", field="model") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) != len(pairs):
        raise ValueError("a key appears twice")
    return keys


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refuse(path: str, message: str) -> NoReturn:
    raise Invalid(f"{path} {message}", field=path)


def _object(value: Any, path: str, keys: set[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        _refuse(path, "must be an object")
    for key in sorted(keys - value.keys()):
        _refuse(key if path == "model" else f"{path}.{key}", "is missing")
    for _ in value.keys() - keys:
        _refuse(path, "has a field that does not belong there")
    return value


def _number(value: Any, path: str, limit: float = MAX_LOG_ODDS) -> float:
    if not isinstance(value, float) or not math.isfinite(value):
        _refuse(path, "must be a finite decimal number")
    if abs(value) > limit:
        _refuse(path, f"must lie between -{limit:g} and {limit:g}")
    return value


def _integer(value: Any, path: str, least: int = 0, most: int = 2**63 - 1) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        _refuse(path, "must be a whole number")
    if not least <= value <= most:
        _refuse(path, f"must lie between {least} and {most}")
    return value


def _calibration(value: Any) -> Calibration:
    fields = _object(value, "calibration", {"offset", "slope"})
    slope = _number(fields["slope"], "calibration.slope")
    if slope <= 0:
        _refuse("calibration.slope", "must be above 0")
    return Calibration(slope=slope, offset=_number(fields["offset"], "calibration.offset"))


def _provenance(value: Any) -> Provenance:
    fields = _object(value, "provenance", {"data_digest", "positives", "rows", "seed"})
    name = fields["data_digest"]
    if not isinstance(name, str) or len(name) != 64 or set(name) - set("0123456789abcdef"):
        _refuse("provenance.data_digest", "must be a sha256 in lower-case hex")
    rows = _integer(fields["rows"], "provenance.rows", 1)
    return Provenance(
        rows=rows,
        positives=_integer(fields["positives"], "provenance.positives", 0, rows),
        seed=_integer(fields["seed"], "provenance.seed"),
        data_digest=name,
    )


def _tables(value: Any) -> tuple[Table, ...]:
    if not isinstance(value, list):
        _refuse("tables", "must be a list")
    tables = tuple(_table(entry, f"tables[{index}]") for index, entry in enumerate(value))
    order = [list(BY_NAME).index(table.feature) for table in tables]
    for index in range(1, len(order)):
        if order[index] <= order[index - 1]:
            _refuse(f"tables[{index}].feature", "repeats a feature or breaks the order of the schema")
    return tables


def _table(value: Any, path: str) -> Table:
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind not in ("numeric", "categorical"):
        _refuse(f"{path}.kind", "must be numeric or categorical")
    keys = {"feature", "kind", "mean", "missing", "scores"} | ({"edges"} if kind == "numeric" else set())
    fields = _object(value, path, keys)
    feature = fields["feature"]
    if not isinstance(feature, str) or feature not in BY_NAME:
        _refuse(f"{path}.feature", "is not a feature of the schema")
    if is_numeric(feature) != (kind == "numeric"):
        _refuse(f"{path}.kind", f"does not fit the feature {feature}")
    missing, mean = _number(fields["missing"], f"{path}.missing"), _number(fields["mean"], f"{path}.mean")
    if kind == "categorical":
        return CategoricalTable(feature, _categories(feature, fields["scores"], f"{path}.scores"), missing, mean)
    edges = _edges(fields["edges"], f"{path}.edges")
    scores = _numbers(fields["scores"], f"{path}.scores", MAX_LOG_ODDS)
    if len(scores) != len(edges) + 1:
        _refuse(f"{path}.scores", f"must hold one number more than edges ({len(edges) + 1}), not {len(scores)}")
    return NumericTable(feature, edges, scores, missing, mean)


def _numbers(value: Any, path: str, limit: float) -> tuple[float, ...]:
    if not isinstance(value, list):
        _refuse(path, "must be a list")
    return tuple(_number(entry, f"{path}[{index}]", limit) for index, entry in enumerate(value))


def _edges(value: Any, path: str) -> tuple[float, ...]:
    edges = _numbers(value, path, 1e15)
    for index in range(1, len(edges)):
        if edges[index] <= edges[index - 1]:
            _refuse(f"{path}[{index}]", "must be above the edge before it")
    return edges


def _categories(feature: str, value: Any, path: str) -> dict[str, float]:
    known = BY_NAME[feature].categories
    if not isinstance(value, dict) or not value:
        _refuse(path, "must be an object of at least one category")
    for category in value:
        if category not in known:
            _refuse(path, f"holds a category that {feature} does not have")
    return {category: _number(entry, f"{path}.{category}") for category, entry in value.items()}
