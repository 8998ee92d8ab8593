"""The catalogue that an installation begins with, from the data file beside this module."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.customer_info.catalogue.rules import Characteristic, Family, Identifier, Kind

FILE = Path(__file__).with_name("families.json")


def default_families() -> list[Family]:
    """The families of the file; fields that it leaves out have their defaults."""
    return [_family(entry) for entry in json.loads(FILE.read_text("utf-8"))]


def _family(entry: Mapping[str, Any]) -> Family:
    known = dict(entry)
    characteristics = tuple(_characteristic(c) for c in known.pop("characteristics", ()))
    identifiers = tuple(Identifier(**i) for i in known.pop("identifiers", ()))
    return Family(characteristics=characteristics, identifiers=identifiers, **known)


def _characteristic(entry: Mapping[str, Any]) -> Characteristic:
    known = dict(entry)
    kind, choices = Kind(known.pop("kind", Kind.TEXT)), tuple(known.pop("choices", ()))
    return Characteristic(kind=kind, choices=choices, **known)
