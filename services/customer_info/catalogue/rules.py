"""What a family of products is, and what it asks of its products. Pure: no I/O, no clock, no randomness."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from chassis.rules import Invalid
from services.customer_info.portfolio.identifier_rules import WRITTEN

# As many names as fit into a sentence that somebody reads.
MOST_NAMED = 50
YES_OR_NO = frozenset({"yes", "no", "true", "false"})
NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")


class Kind(StrEnum):
    """What the values of a characteristic are; all of them travel as text."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CHOICE = "choice"


class Status(StrEnum):
    """Whether a family takes new products."""

    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Characteristic:
    """Something that the products of a family tell of themselves. `choices` belong to a choice, bounds to a number."""

    name: str
    kind: Kind = Kind.TEXT
    choices: tuple[str, ...] = ()
    unit: str = ""
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class Identifier:
    """A kind of identifier that the products of a family have; `most` 0: as many as there is room for."""

    kind: str
    required: bool = False
    most: int = 0


@dataclass(frozen=True, slots=True)
class Family:
    """A family of products. An `open` one lets pass what it does not know; `version` counts its changes, from 1."""

    name: str
    title: str
    line: str
    characteristics: tuple[Characteristic, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    open: bool = False
    status: Status = Status.ACTIVE
    version: int = 1
    update_time: datetime | None = None


# What a family is called among the kinds of records.
FAMILY = "family"
CONTENT = ("title", "line", "characteristics", "identifiers", "open", "status")
Families = Mapping[str, Family]


def defined(before: Family | None, wish: Family, at: datetime) -> Family:
    """The family that `wish` describes, active; `before` itself where that is how it is already.

    Raises:
        Invalid: it contradicts itself.
    """
    check(wish)
    if before is None:
        return replace(wish, status=Status.ACTIVE, version=1, update_time=at)
    after = replace(wish, status=Status.ACTIVE, version=before.version, update_time=before.update_time)
    return before if after == before else replace(after, version=before.version + 1, update_time=at)


def retired(family: Family, at: datetime) -> Family:
    """`family` off sale; itself if it is already."""
    if family.status is Status.RETIRED:
        return family
    return replace(family, status=Status.RETIRED, version=family.version + 1, update_time=at)


def check(family: Family) -> None:
    """Passes a family that makes sense.

    Raises:
        Invalid: a name or kind twice, a characteristic that is an identifier, choices without a choice or a choice
            without them, bounds without a number or the wrong way around.
    """
    _check_once([c.name for c in family.characteristics], "family.characteristics")
    _check_once([i.kind for i in family.identifiers], "family.identifiers")
    for n, known in enumerate(family.characteristics):
        path = f"family.characteristics[{n}]"
        _check_none_of(known.name, family, f"{path}.name")
        if bool(known.choices) is not (known.kind is Kind.CHOICE):
            raise Invalid("a choice names its choices, and nothing else does", field=f"{path}.choices")
        low, high = known.minimum, known.maximum
        if known.kind is not Kind.NUMBER and (low is not None or high is not None):
            raise Invalid("only a number has bounds", field=f"{path}.{'maximum' if low is None else 'minimum'}")
        if low is not None and high is not None and high < low:
            raise Invalid("lies below the minimum", field=f"{path}.maximum")


def family_of(families: Families, name: str) -> Family:
    """The family called `name`.

    Raises:
        Invalid: there is none; says which there are.
    """
    family = families.get(name)
    if family is None:
        there_are = ", ".join(sorted(n for n, f in families.items() if f.status is Status.ACTIVE)[:MOST_NAMED])
        raise Invalid(
            f"{name} is no family of the catalogue; there are {there_are}",
            field="product.family",
            metadata={"allowed": there_are},
        )
    return family


def check_on_sale(family: Family) -> None:
    """Passes when `family` takes new products.

    Raises:
        Invalid: it is retired.
    """
    if family.status is Status.RETIRED:
        raise Invalid(f"{family.name} is retired: it takes no new products", field="product.family")


def check_product(
    family: Family, characteristics: Sequence[tuple[str, str]], kinds: Sequence[str], *, in_use: bool
) -> None:
    """Passes a product that tells what `family` asks for: its characteristics, the kinds of its identifiers.

    Raises:
        Invalid: something is missing, is not one of those that there are, or there is too much of it.
    """
    _check_characteristics(family, characteristics)
    _check_identifiers(family, kinds, in_use=in_use)


def _check_characteristics(family: Family, characteristics: Sequence[tuple[str, str]]) -> None:
    known = {c.name: c for c in family.characteristics}
    told = set()
    for n, (name, value) in enumerate(characteristics):
        path = f"product.characteristics[{n}]"
        if name in told:
            raise Invalid(f"{name} stands there twice", field=f"{path}.name")
        told.add(name)
        _check_none_of(name, family, f"{path}.name")
        if name in known:
            _check_value(known[name], value, f"{path}.value")
        elif not family.open:
            there_are = ", ".join(known) or "none"
            raise Invalid(f"{family.name} has no such characteristic; there are {there_are}", field=f"{path}.name")
    missing = [c.name for c in family.characteristics if c.required and c.name not in told]
    if missing:
        raise Invalid(f"{family.name} needs {', '.join(missing)}", field="product.characteristics")


def _check_value(known: Characteristic, value: str, path: str) -> None:
    if known.kind is Kind.CHOICE and value not in known.choices:
        raise Invalid(f"{known.name} must be one of {', '.join(known.choices)}", field=path)
    if known.kind is Kind.BOOLEAN and value.lower() not in YES_OR_NO:
        raise Invalid(f"{known.name} must be yes or no", field=path)
    if known.kind is Kind.NUMBER:
        _check_number(known, value, path)


def _check_number(known: Characteristic, value: str, path: str) -> None:
    if not NUMBER.fullmatch(value):
        raise Invalid(f"{known.name} must be a decimal number", field=path)
    number = Decimal(value)
    # By its shortest text: a bound of 0.1 is a tenth, not the nearest binary fraction.
    if known.minimum is not None and number < Decimal(repr(known.minimum)):
        raise Invalid(f"{known.name} must be at least {known.minimum:.15g}", field=path)
    if known.maximum is not None and number > Decimal(repr(known.maximum)):
        raise Invalid(f"{known.name} must be at most {known.maximum:.15g}", field=path)


def _check_identifiers(family: Family, kinds: Sequence[str], *, in_use: bool) -> None:
    known = {i.kind: i for i in family.identifiers}
    for n, kind in enumerate(kinds):
        if kind not in known and not family.open:
            there_are = ", ".join(known) or "none"
            raise Invalid(
                f"{family.name} has no such kind of identifier; there are {there_are}",
                field=f"product.identifiers[{n}].kind",
            )
    for spec in family.identifiers:
        count = sum(kind == spec.kind for kind in kinds)
        if spec.most and count > spec.most:
            raise Invalid(f"{family.name} has at most {spec.most} of kind {spec.kind}", field="product.identifiers")
        if spec.required and in_use and not count:
            raise Invalid(f"{family.name} in use needs one of kind {spec.kind}", field="product.identifiers")


def _check_none_of(name: str, family: Family, path: str) -> None:
    """Passes a characteristic that is no identifier by another way, on which it would be neither checked nor found."""
    kind = name.strip().lower()
    if kind in WRITTEN or any(i.kind == kind for i in family.identifiers):
        raise Invalid(f"{kind} is a kind of identifier: it stands among the identifiers", field=path)


def _check_once(names: Sequence[str], path: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Invalid(f"{twice[0]} stands there twice", field=path)
