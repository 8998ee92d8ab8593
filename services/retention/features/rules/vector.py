"""Reading a customer's features as of a moment.

Windows of behaviour are whole UTC days, the day of `as_of` included, and can be read as of any day of the last year.
Profile and portfolio are known as they stand now; for how they stood, fold the facts up to that moment.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from services.retention.features.rules.facts import CONTRACT_TYPES, ProductChanged, utc
from services.retention.features.rules.schema import ADDONS, FEATURES, Value
from services.retention.features.rules.state import SENTIMENT_SCALE, Day, State

MICROS = 1_000_000


def vector(state: State, as_of: datetime) -> dict[str, Value]:
    """Every feature of the schema as of a moment; None where it is not known.

    Raises:
        Invalid: `as_of` names no zone.
    """
    as_of = utc(as_of, "as_of")
    values = {**_profile(state, as_of), **_portfolio(state, as_of), **_behaviour(state, as_of)}
    return {feature.name: values[feature.name] for feature in FEATURES}


def ages(state: State, as_of: datetime) -> dict[str, float | None]:
    """Per feature, the seconds since the newest fact of its source; None where none was ever heard."""
    as_of = utc(as_of, "as_of")
    by_source = {source: max(0.0, (as_of - at).total_seconds()) for source, at in state.heard.items()}
    return {feature.name: by_source.get(feature.source) for feature in FEATURES}


def _flag(value: bool | None) -> Value:
    return None if value is None else "yes" if value else "no"


def _profile(state: State, as_of: datetime) -> dict[str, Value]:
    profile = state.profile
    since = profile.customer_since if profile and profile.customer_since else _first_start(state)
    total = profile.total_charge_micros if profile else None
    return {
        "tenure_months": None if since is None else float(months_between(since, as_of.date())),
        "total_charge": None if total is None else total / MICROS,
        "payment_method": profile.payment_method if profile else None,
        "paperless_billing": _flag(profile.paperless_billing) if profile else None,
        "senior": _flag(profile.senior) if profile else None,
        "partner": _flag(profile.partner) if profile else None,
        "dependents": _flag(profile.dependents) if profile else None,
    }


def _first_start(state: State) -> date | None:
    return min((product.starts_at.date() for product in state.products.values()), default=None)


def months_between(start: date, end: date) -> int:
    """Whole months from one day to another, 0 if it lies ahead; the last day of a short month completes a month."""
    months = (end.year - start.year) * 12 + end.month - start.month
    month_ends = (end + timedelta(days=1)).month != end.month
    if end.day < start.day and not month_ends:
        months -= 1
    return max(0, months)


def _portfolio(state: State, as_of: datetime) -> dict[str, Value]:
    if "product" not in state.heard:
        names = ("monthly_charge", "contract_type", "phone_service", "multiple_lines", "internet_service", *ADDONS)
        return dict.fromkeys((*names, "product_count"))
    active = [one for one in state.products.values() if _active(one, as_of)]
    kinds = {product.kind for product in active}
    lines = sum(product.quantity for product in active if product.kind in ("voice", "mobile"))
    internet = _internet(kinds)
    absent = "no_service" if internet == "none" else "no"
    return {
        "monthly_charge": _monthly_charge(active),
        "contract_type": _contract(active),
        "phone_service": "yes" if lines else "no",
        "multiple_lines": "yes" if lines > 1 else "no" if lines else "no_service",
        "internet_service": internet,
        **{addon: "yes" if addon in kinds else absent for addon in ADDONS},
        "product_count": float(len(active)),
    }


def currency(state: State, as_of: datetime) -> str:
    """The ISO 4217 code of `monthly_charge` as of a moment; empty where nothing active has a price."""
    as_of = utc(as_of, "as_of")
    return next((one.currency_code for one in state.products.values() if one.currency_code and _active(one, as_of)), "")


def _active(product: ProductChanged, moment: datetime) -> bool:
    return product.starts_at <= moment and (product.ends_at is None or moment < product.ends_at)


def _internet(kinds: set[str]) -> Value:
    if "broadband_fiber" in kinds:
        return "fiber"
    if "broadband_dsl" in kinds:
        return "dsl"
    # Another technology (cable, satellite) is none of the categories, and not the absence of a service either.
    return None if "broadband_other" in kinds else "none"


def _contract(active: list[ProductChanged]) -> Value:
    if not active:
        return "none"
    known = [product.contract_type for product in active if product.contract_type is not None]
    return max(known, key=CONTRACT_TYPES.index, default=None)


def _monthly_charge(active: list[ProductChanged]) -> Value:
    prices = [(one.currency_code, one.monthly_micros) for one in active if one.monthly_micros is not None]
    if active and not prices:
        return None
    # A sum over two currencies has no meaning, and exchange rates are not ours to guess.
    if len({currency for currency, _ in prices}) > 1:
        return None
    return sum(micros for _, micros in prices) / MICROS


def _window(days: Mapping[str, Day], as_of: date, length: int) -> Day:
    after, until = (as_of - timedelta(days=length)).isoformat(), as_of.isoformat()
    found = [day for key, day in days.items() if after < key <= until]
    return Day(*map(sum, zip(*found, strict=True)))


def _within(moments: list[datetime], as_of: date, length: int) -> float:
    after = as_of - timedelta(days=length)
    return float(sum(1 for moment in moments if after < moment.date() <= as_of))


def _days_since_contact(state: State, as_of: date) -> Value:
    if state.last_contact is None:
        return None
    last = state.last_contact.date()
    if last > as_of:
        known = [key for key, day in state.days.items() if day.contacts and key <= as_of.isoformat()]
        if not known:
            return None
        last = date.fromisoformat(max(known))
    return float((as_of - last).days)


def _behaviour(state: State, as_of: datetime) -> dict[str, Value]:
    today = as_of.date()
    month, quarter = _window(state.days, today, 30), _window(state.days, today, 90)
    opened = [ticket.first_opened for ticket in state.tickets.values() if ticket.first_opened is not None]
    return {
        "contacts_30d": float(month.contacts),
        "contacts_90d": float(quarter.contacts),
        "complaints_90d": float(quarter.complaints),
        "open_tickets": float(sum(1 for ticket in state.tickets.values() if ticket.open_at(as_of))),
        "tickets_90d": _within(opened, today, 90),
        "sla_breaches_90d": _within(list(state.breaches.values()), today, 90),
        "days_since_contact": _days_since_contact(state, today),
        "sentiment_90d": quarter.sentiment / SENTIMENT_SCALE / quarter.rated if quarter.rated else None,
    }
