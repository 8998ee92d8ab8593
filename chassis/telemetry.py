"""Where traces and metrics go: an OTLP collector and Prometheus text, each by setting, neither by default."""

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from chassis import tracing
from chassis.settings import Settings


def configure(service: str, settings: Settings) -> None:
    """Sets up this process's telemetry; call it once, before anything asks for a tracer or a meter.

    Raises:
        OSError: the address for Prometheus is taken.
    """
    resource = Resource.create({"service.name": f"holdfast.{service}", "service.namespace": "holdfast"})
    readers: list[MetricReader] = []
    if settings.otlp_endpoint:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

        base = settings.otlp_endpoint.rstrip("/")
        # The decision to keep a trace is made in `tracing`; what gets as far as a span is kept.
        provider = TracerProvider(resource=resource, sampler=ALWAYS_ON)
        provider.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(f"{base}/v1/traces"), schedule_delay_millis=1000)
        )
        trace.set_tracer_provider(provider)
        tracing.keep(settings.trace_sample_ratio)
        readers.append(PeriodicExportingMetricReader(OTLPMetricExporter(f"{base}/v1/metrics")))
    if settings.metrics_listen:
        from opentelemetry.exporter.prometheus import PrometheusMetricReader
        from prometheus_client import start_http_server

        host, _, port = settings.metrics_listen.rpartition(":")
        start_http_server(int(port), host)
        readers.append(PrometheusMetricReader())
    if readers:
        metrics.set_meter_provider(MeterProvider(readers, resource=resource))


def flush() -> None:
    """Sends what has not been sent yet, and stops sending; called when the process ends."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.shutdown()
    meters = metrics.get_meter_provider()
    if isinstance(meters, MeterProvider):
        meters.shutdown()
