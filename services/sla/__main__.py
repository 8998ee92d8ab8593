"""Starts SLA."""

from chassis import serve
from services.sla.build import build
from services.sla.settings import SlaSettings

if __name__ == "__main__":
    serve.run("sla", SlaSettings, build)
