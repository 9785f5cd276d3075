"""Python's grpcio with the OpenTelemetry SDK, as a client of our receiver and as a server for our exporter.

client PORT SECURITY COMPRESSION SPANS PAYLOAD: sends SPANS spans, each with an attribute of PAYLOAD bytes, and exits with 0 if all were taken.
server SECURITY...: prints "SECURITY PORT" for each, then for each call "SECURITY ENCODING SIZE SHA256 TIMEOUT" of its message.
"""
import concurrent.futures
import hashlib
import os
import sys
import threading

import grpc
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

FILES = os.environ.get("CERTIFICATES", "")
LOCK = threading.Lock()


def say(*words):
    """One whole line: print() writes text and line end apart, and calls are answered on several threads."""
    with LOCK:
        sys.stdout.write(" ".join(map(str, words)) + "\n")
        sys.stdout.flush()


def read(name):
    with open(os.path.join(FILES, name), "rb") as file:
        return file.read()


def client(port, security, compression, spans, payload):
    own = [read("client.key"), read("client.crt")] if security == "mtls" else [None, None]
    credentials = None if security == "plain" else grpc.ssl_channel_credentials(read("ca.crt"), *own)
    exporter = OTLPSpanExporter(
        endpoint=f"localhost:{port}",
        insecure=security == "plain",
        credentials=credentials,
        compression=grpc.Compression.Gzip if compression == "gzip" else grpc.Compression.NoCompression,
    )
    provider = TracerProvider(resource=Resource.create({"service.name": f"python {security} {compression}"}))
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=spans, max_export_batch_size=spans))
    tracer = provider.get_tracer("peer")
    for i in range(spans):
        with tracer.start_as_current_span(f"span {i}") as span:
            span.set_attribute("payload", "x" * payload)
    taken = provider.force_flush()
    provider.shutdown()
    sys.exit(0 if taken else 1)


class Handler(grpc.GenericRpcHandler):
    def __init__(self, security):
        self.security = security

    def service(self, details):
        encoding = dict(details.invocation_metadata).get("grpc-encoding", "?")

        def take(message, context):
            left = context.time_remaining()
            timeout = "none" if left is None else "some"
            say(self.security, encoding, len(message), hashlib.sha256(message).hexdigest(), timeout)
            return b""

        return grpc.unary_unary_rpc_method_handler(take)


def server(securities):
    kept = []
    for security in securities:
        one = grpc.server(concurrent.futures.ThreadPoolExecutor(2), options=[("grpc.max_receive_message_length", 64 << 20)])
        one.add_generic_rpc_handlers((Handler(security),))
        if security == "plain":
            port = one.add_insecure_port("127.0.0.1:0")
        else:
            mutual = security == "mtls"
            pair = [(read("server.key"), read("server.crt"))]
            credentials = grpc.ssl_server_credentials(pair, read("ca.crt") if mutual else None, require_client_auth=mutual)
            port = one.add_secure_port("127.0.0.1:0", credentials)
        one.start()
        kept.append(one)
        say(security, port)
    for one in kept:
        one.wait_for_termination()


if sys.argv[1] == "client":
    client(sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]), int(sys.argv[6]))
else:
    server(sys.argv[2:])
