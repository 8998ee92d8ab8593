"""Starts customer information."""

from chassis import serve
from services.customer_info.build import build
from services.customer_info.settings import CustomerInfoSettings

if __name__ == "__main__":
    serve.run("customer_info", CustomerInfoSettings, build)
