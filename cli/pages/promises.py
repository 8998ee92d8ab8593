"""Did we keep our promises?"""

from collections.abc import Mapping
from datetime import datetime

from holdfast.gateway.v1.experience_pb2 import SlaSection
from holdfast.sla.v1.clocks_pb2 import GetCustomerSlaResponse
from holdfast.sla.v1.measurements_pb2 import GetAvailabilityResponse
from rich.console import Group, RenderableType
from rich.text import Text

from cli.pages.clocks import table
from cli.pages.text import percent, plain, span


def body(section: SlaSection, products: Mapping[str, str], now: datetime) -> RenderableType:
    """The agreement and how it was kept, the clocks that run, and the availability of each product."""
    parts: list[RenderableType] = [_record(section.sla)]
    if section.sla.running:
        parts.append(table(section.sla.running, now))
    else:
        parts.append(Text("No clock runs.", style="dim"))
    if section.HasField("availability"):
        parts.append(_availability(section.availability, products))
    return Group(*parts)


def _record(sla: GetCustomerSlaResponse) -> Text:
    name = plain(sla.agreement_name) or "no agreement"
    line = Text.assemble((name, "bold"), (f" ({plain(sla.agreement_id)})" if sla.agreement_id else "", "dim"), "   ")
    if sla.HasField("hit_rate"):
        style = "green" if sla.hit_rate >= 0.95 else "yellow" if sla.hit_rate >= 0.8 else "red"
        line.append(f"kept {percent(sla.hit_rate, 1)}", style=style)
    else:
        line.append("nothing ended yet", style="dim")
    line.append(f"   {sla.met} met · {sla.missed} missed · ")
    line.append(f"{sla.breached} overdue", style="bold red" if sla.breached else "")
    return line


def _availability(availability: GetAvailabilityResponse, products: Mapping[str, str]) -> Text:
    line = Text("availability ", style="dim")
    if not availability.products:
        return line.append("no outage in the last 30 days", style="green")
    for place, one in enumerate(availability.products):
        name = products.get(one.product_id, one.product_id[:8])
        planned = f", {span(one.planned_seconds)} planned" if one.planned_seconds else ""
        outages = f"{one.outages} outage{'s' if one.outages != 1 else ''}, {span(one.outage_seconds)}{planned}"
        line.append(f"{'; ' if place else ''}{name} ", style="default")
        line.append(percent(one.availability, 2), style="green" if one.availability >= 0.999 else "yellow")
        line.append(f" ({outages})", style="dim")
    return line
