"""TLS as a running service sees it: certificates are verified, with authorities that the operator names."""

import datetime as dt
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.integration.readers.running import compare
from tests.processes import Spawn

INLINE = {"type": "inline", "value": [1]}
CERTIFIED, OTHER = "127.0.0.2", "127.0.0.3"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"[1]")

    def log_message(self, *_: Any) -> None:
        """Keep standard error for errors."""


def certify(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for the one address, and give it (it is its own authority) and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Loopback")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(CERTIFIED))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem, private


@pytest.fixture(scope="module", name="certificate")
def make_certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certify(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module", name="ports")
def serve_tls(certificate: tuple[Path, Path]) -> Iterator[dict[str, int]]:
    """The port of a server with the certificate, at the address it is for and at another."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    servers = {host: ThreadingHTTPServer((host, 0), Handler) for host in (CERTIFIED, OTHER)}
    for server in servers.values():
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {host: server.server_port for host, server in servers.items()}
    for server in servers.values():
        server.shutdown()
        server.server_close()


def fetch(ports: dict[str, int], host: str, spawn: Spawn) -> tuple[int, Any]:
    opened = {"url_allow": "127.0.0.0/8", "url_ports": ",".join(map(str, ports.values()))}
    return compare(spawn(**opened).url, INLINE, {"type": "http", "uri": f"https://{host}:{ports[host]}/"})


@pytest.fixture(name="trusting")
def trust_certificate(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Name the certificate to the service as an authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))


@pytest.mark.usefixtures("trusting")
def test_authority_of_the_operator_is_trusted(ports: dict[str, int], spawn_service: Spawn) -> None:
    assert fetch(ports, CERTIFIED, spawn_service) == (200, [])


def test_unknown_authority_is_refused(ports: dict[str, int], spawn_service: Spawn) -> None:
    status, problem = fetch(ports, CERTIFIED, spawn_service)

    assert (status, problem["code"]) == (502, "source-unreachable")
    assert "certificate" in problem["detail"]


@pytest.mark.usefixtures("trusting")
def test_certificate_of_another_host_is_refused(ports: dict[str, int], spawn_service: Spawn) -> None:
    status, problem = fetch(ports, OTHER, spawn_service)

    assert (status, problem["code"]) == (502, "source-unreachable")
    assert "certificate" in problem["detail"]
