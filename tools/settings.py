"""Writes `docs/settings.md`, the reference of settings, from the classes that read them. A test keeps it true."""

from pathlib import Path

from pydantic_settings import BaseSettings

from chassis.settings import PREFIX, Settings
from gateway.settings import GatewaySettings
from services.customer_info.settings import CustomerInfoSettings
from services.interaction.settings import InteractionSettings
from services.retention.settings import RetentionSettings
from services.sla.settings import SlaSettings
from tools.gen import ROOT

PAGE = ROOT / "docs" / "settings.md"
PROCESSES: dict[str, type[Settings]] = {
    "customer information, `python -m services.customer_info`": CustomerInfoSettings,
    "interaction, `python -m services.interaction`": InteractionSettings,
    "retention, `python -m services.retention`": RetentionSettings,
    "SLA, `python -m services.sla`": SlaSettings,
    "the experience API, `python -m gateway`": GatewaySettings,
}
HEAD = """# Settings

Every process reads its settings from the environment, checks them once when it starts, and ends with exit code 2 and
one line for each that is missing or malformed. This page is written by `python -m tools.settings`.
"""
LOCAL = """
## The mesh on one machine, `holdfast`

`holdfast up` sets all of the above itself, and passes on what stands in its own environment.

| variable | meaning |
|---|---|
| `HOLDFAST_DATA` | Data directory of the instance; `--data` and `--name` say the same. |
| `HOLDFAST_MONGOD` | Path of a `mongod` to use in place of the wheel's. |
| `HOLDFAST_ENVOY` | Path of an `envoy` to use in place of the wheel's. |
| `HOLDFAST_<SERVICE>_MONGO_URI` | A store elsewhere for that service; with all four set no `mongod` is started. |
"""


def page() -> str:
    """The whole page."""
    common = _table(Settings, frozenset())
    own = [f"\n## Of {title}\n\n{_table(kind, frozenset(Settings.model_fields))}" for title, kind in PROCESSES.items()]
    return f"{HEAD}\n## Of every process\n\n{common}" + "".join(own) + LOCAL


def _table(kind: type[BaseSettings], without: frozenset[str]) -> str:
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in kind.model_fields.items():
        if name in without:
            continue
        default = "*needed*" if field.is_required() else f"`{field.default}`" if field.default != "" else "empty"
        lines.append(f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(PAGE).write_text(page())
