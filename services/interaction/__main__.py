"""Starts interaction."""

from chassis import serve
from services.interaction.build import build
from services.interaction.settings import InteractionSettings

if __name__ == "__main__":
    serve.run("interaction", InteractionSettings, build)
