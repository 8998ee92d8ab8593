"""The W3C trace context: parsed, decided on and passed on."""

import re
from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan

from chassis import tracing

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
KEPT, DROPPED = f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00"


@pytest.fixture
def collector() -> Iterator[None]:
    """As if traces had somewhere to go, and every one that begins here were kept."""
    tracing.keep(1.0)
    yield
    tracing.keep(0.0)


def test_a_header_names_the_remote_span() -> None:
    found = tracing.parse(KEPT)
    assert found is not None
    assert (f"{found.trace_id:032x}", f"{found.span_id:016x}") == (TRACE, SPAN)
    assert found.is_remote
    assert found.trace_flags.sampled


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}0-01",
        f"00-{'g' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'x' * 16}-01",
        f"00-{TRACE}-{SPAN}-zz",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
    ],
)
def test_a_header_that_names_nothing_is_ignored(header: str) -> None:
    assert tracing.parse(header) is None


def test_without_a_collector_no_span_is_made() -> None:
    assert not tracing.sampled(tracing.parse(KEPT))
    assert not tracing.sampled(None)


@pytest.mark.usefixtures("collector")
def test_the_callers_decision_holds() -> None:
    assert tracing.sampled(tracing.parse(KEPT))
    assert not tracing.sampled(tracing.parse(DROPPED))


@pytest.mark.usefixtures("collector")
def test_a_trace_that_begins_here_is_kept_by_chance() -> None:
    assert tracing.sampled(None)
    tracing.keep(0.5)
    kept = sum(tracing.sampled(None) for _ in range(2000))
    assert 800 < kept < 1200


def test_a_trace_that_is_not_kept_is_passed_on_as_it_came() -> None:
    assert tracing.unsampled(tracing.parse(DROPPED)) == DROPPED
    assert tracing.unsampled(tracing.parse(KEPT)) == KEPT


def test_a_call_without_a_trace_gets_a_fresh_one_that_is_not_kept() -> None:
    headers = {tracing.unsampled(None) for _ in range(100)}
    assert len(headers) == 100
    assert all(re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", header) for header in headers)
    assert all(tracing.parse(header) for header in headers)


def test_a_span_is_named_in_its_header_and_is_the_current_one_of_its_context() -> None:
    parent = tracing.parse(KEPT)
    assert parent is not None
    assert tracing.header_of(NonRecordingSpan(parent)) == KEPT
    assert trace.get_current_span(tracing.context_of(parent)).get_span_context() == parent
    assert not trace.get_current_span(tracing.context_of(None)).get_span_context().is_valid
