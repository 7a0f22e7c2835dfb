"""Spans by OpenTelemetry, an optional extra: of requests, readers, comparisons and database commands.

Without `PATCHBAY_OTLP_ENDPOINT` nothing of this is loaded.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from service.core.options import DiffOptions
from service.errors import ServiceError
from service.model import Reading, Source
from service.ports import Comparer, Outcome, SourceReader
from service.store.tracing import CommandSpans

_CONTEXT = TraceContextTextMapPropagator()


class Telemetry:
    """Makes spans and sends them to a collector. Documents and credentials are never part of one."""

    def __init__(self, exporter: SpanExporter, version: str) -> None:
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": "patchbay", "service.version": version})
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self.tracer: Tracer = self._provider.get_tracer("patchbay", version)

    @property
    def listeners(self) -> tuple[CommandSpans]:
        """What the database client is given."""
        return (CommandSpans(self.tracer),)

    def readers(self, readers: SourceReader) -> "TracedReaders":
        """Put spans around the readers."""
        return TracedReaders(readers, self.tracer)

    def comparer(self, comparer: Comparer) -> "TracedComparer":
        """Put spans around the comparer."""
        return TracedComparer(comparer, self.tracer)

    def flush(self) -> None:
        """Send what there is now."""
        self._provider.force_flush()

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()

    @contextmanager
    def request(self, name: str, traceparent: str | None) -> Iterator[str]:
        """Make the span of a request, below the caller's own if it sent a `traceparent`; give the one to pass on."""
        parent = _CONTEXT.extract({"traceparent": traceparent} if traceparent else {})
        with _opened(self.tracer, name, parent, SpanKind.SERVER):
            carrier: dict[str, str] = {}
            _CONTEXT.inject(carrier)
            yield carrier["traceparent"]

    @contextmanager
    def job(self, name: str) -> Iterator[None]:
        """Make the span of an asynchronous call, which no request waits for."""
        with _opened(self.tracer, name, kind=SpanKind.CONSUMER):
            yield


def to_collector(endpoint: str, version: str) -> Telemetry:
    """Send spans to an OTLP collector over HTTP."""
    return Telemetry(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces"), version)


class TracedReaders:
    """Readers, each read in a span."""

    def __init__(self, readers: SourceReader, tracer: Tracer) -> None:
        self._readers = readers
        self._tracer = tracer

    def parse(self, text: bytes | Any, where: str) -> Source:
        """Do as the readers do."""
        return self._readers.parse(text, where)

    async def read_json(self, source: Source, reading: Reading) -> bytes:
        """Read in a span named after the kind of source."""
        with _opened(self._tracer, f"read {type(source).__struct_config__.tag}") as span:
            text = await self._readers.read_json(source, reading)
            span.set_attribute("patchbay.bytes", len(text))
            return text


class TracedComparer:
    """A comparer, each comparison in a span."""

    def __init__(self, comparer: Comparer, tracer: Tracer) -> None:
        self._comparer = comparer
        self._tracer = tracer

    async def compare(self, before: bytes, after: bytes, options: DiffOptions) -> Outcome:
        """Compare in a span."""
        with _opened(self._tracer, "compare") as span:
            span.set_attribute("patchbay.input.bytes", len(before) + len(after))
            outcome = await self._comparer.compare(before, after, options)
            span.set_attributes({"patchbay.patch.bytes": len(outcome.patch), "patchbay.bounded": outcome.bounded})
            return outcome


@contextmanager
def _opened(
    tracer: Tracer, name: str, parent: Context | None = None, kind: SpanKind = SpanKind.INTERNAL
) -> Iterator[Span]:
    """Make a span. Of a failure it says which kind it was, and not its text, which may quote an input."""
    with tracer.start_as_current_span(
        name, parent, kind, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except Exception as error:
            span.set_status(StatusCode.ERROR)
            span.set_attribute("error.type", error.code if isinstance(error, ServiceError) else type(error).__name__)
            raise
