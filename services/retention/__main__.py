"""Starts retention."""

from chassis import serve
from services.retention.build import build
from services.retention.settings import RetentionSettings

if __name__ == "__main__":
    serve.run("retention", RetentionSettings, build)
