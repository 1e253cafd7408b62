"""What goes out reaches the internet, and nothing inside that a name may be made to lead to."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pytest_django import Settings

from notifications.outgoinghttp import Client, NoAnswer, Refused, Response
from tests.notifications.hookreceiver import Answer, Receiver, receiving

LOCAL = "127.0.0.1"


def leads_to(*addresses: str) -> Client:
    """A client whose resolver gives these addresses for every name."""
    return Client(resolver=lambda _name, _port: addresses)


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.HELPDESK_OUTGOING_HTTP = True
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def inside_is_open(settings: Settings) -> None:
    settings.HELPDESK_OUTGOING_ALLOW = ["127.0.0.0/8"]


def post(client: Client, url: str) -> Response:
    return client.post(url, body=b"{}", headers={"content-type": "application/json"})


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",  # where clouds tell a machine its credentials
        "100.100.100.200",  # another cloud's
        "0.0.0.0",  # noqa: S104
        "192.0.0.192",  # and another's
        "192.88.99.1",
        "198.18.0.1",
        "203.0.113.7",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:127.0.0.1",
        "64:ff9b::a9fe:a9fe",  # 169.254.169.254 through NAT64
        "64:ff9b:1::7f00:1",
        "2001:0:7f00:1::",  # Teredo
        "2002:7f00:1::",  # 6to4
        "2002:a9fe:a9fe::1",
        "2001:db8::1",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_no_name_leads_inside(address: str) -> None:
    with pytest.raises(Refused, match="not outside"):
        leads_to(address).check("https://hooks.example/x")


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::808:808"])
def test_what_everybody_reaches_may_be_asked(address: str) -> None:
    leads_to(address).check("https://hooks.example/x")


def test_one_address_inside_among_others_is_one_too_many() -> None:
    with pytest.raises(Refused):
        leads_to("93.184.216.34", "10.0.0.1").check("https://hooks.example/")


@pytest.mark.parametrize(
    "url",
    [
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://[::1]/",
        "https://[::ffff:7f00:1]/",
        "https://localhost/",
        "https://0/",
    ],
)
def test_however_an_address_inside_is_written_it_is_read_as_the_system_reads_it(url: str) -> None:
    with pytest.raises(Refused):
        Client().check(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/",
        "ftp://hooks.example/",
        "file:///etc/passwd",
        "gopher://hooks.example/",
        "javascript:alert(1)",
        "//hooks.example/",
        "hooks.example",
        "",
        "https://",
        "https:///x",
        "https://user:secret@hooks.example/",
        "https://93.184.216.34\\@127.0.0.1/",
        "https://hooks.example/a b",
        "https://hooks.example/a\r\nX: y",
        "https://hooks.example:25/",
        "https://hooks.example:99999/",
        "https://hooks.example:x/",
        "https://höoks.example/",
        "https://[::1/",
        f"https://hooks.example/{'x' * 600}",
    ],
)
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        leads_to("93.184.216.34").check(url)


def test_a_name_that_nobody_knows_or_that_takes_for_ever_is_refused() -> None:
    def unknown(_name: str, _port: int) -> Sequence[str]:
        raise socket.gaierror("no such name")

    def slow(_name: str, _port: int) -> Sequence[str]:
        time.sleep(3)
        return ["93.184.216.34"]

    for client in (Client(resolver=unknown), Client(resolver=slow, deadline=0.2), leads_to()):
        with pytest.raises(Refused):
            client.check("https://hooks.example/")


def test_the_address_that_was_looked_at_is_the_one_that_is_asked(
    receiver: Receiver, settings: Settings
) -> None:
    """DNS rebinding: the name is looked up once, and what it answers later counts for nothing."""
    answers = iter([["127.0.0.1"], ["127.0.0.3"]])
    asked: list[str] = []

    def rebinding(name: str, _port: int) -> Sequence[str]:
        asked.append(name)
        return next(answers)

    settings.HELPDESK_OUTGOING_ALLOW = ["127.0.0.1/32"]
    client = Client(resolver=rebinding)
    url = f"http://hooks.example:{receiver.port}/hook"
    assert post(client, url).status == 204
    assert asked == ["hooks.example"]
    assert receiver.calls[0].headers["host"] == f"hooks.example:{receiver.port}"
    # The second time it leads elsewhere, and is refused before anybody is asked.
    with pytest.raises(Refused):
        post(client, url)
    assert len(receiver.calls) == 1


@pytest.mark.usefixtures("inside_is_open")
def test_nobody_is_followed_elsewhere(receiver: Receiver) -> None:
    with receiving() as inside:
        receiver.answers = lambda _call: Answer(status=302, headers={"Location": inside.url})
        answer = post(Client(), receiver.url)
        assert answer.status == 302
        assert inside.calls == []


@pytest.mark.usefixtures("inside_is_open")
def test_a_proxy_of_the_environment_is_not_asked(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://{LOCAL}:{proxy.port}")
        assert post(Client(), receiver.url).status == 204
        assert proxy.calls == []


@pytest.mark.usefixtures("inside_is_open")
def test_of_a_huge_answer_only_the_beginning_is_read(receiver: Receiver) -> None:
    receiver.answers = lambda _call: Answer(status=200, body=b"x" * 50_000_000)
    began = time.monotonic()
    assert len(post(Client(), receiver.url).said) <= 500
    assert time.monotonic() - began < 5


@pytest.mark.usefixtures("inside_is_open")
def test_who_hangs_or_drips_is_left_at_the_deadline(receiver: Receiver) -> None:
    client = Client(deadline=0.5)
    receiver.answers = lambda _call: Answer(after=6)
    began = time.monotonic()
    with pytest.raises(NoAnswer):
        post(client, receiver.url)
    assert time.monotonic() - began < 5

    # Every byte comes in time; all of them never would. The status was said, and counts.
    receiver.answers = lambda _call: Answer(status=200, body=b"y" * 100, drip=0.1)
    began = time.monotonic()
    assert post(client, receiver.url).status == 200
    assert time.monotonic() - began < 5


def _talks(greeting: bytes, pause: float) -> tuple[socket.socket, int]:
    """A server that says these bytes one by one, whatever it is asked."""
    listener = socket.create_server((LOCAL, 0))

    def serve() -> None:
        try:
            connection, _address = listener.accept()
            for byte in greeting:
                connection.send(bytes([byte]))
                time.sleep(pause)
        except OSError:
            pass

    threading.Thread(target=serve, daemon=True).start()
    return listener, listener.getsockname()[1]


@pytest.mark.usefixtures("inside_is_open")
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_headers_or_a_handshake_that_drip_end_at_the_deadline(
    settings: Settings, scheme: str
) -> None:
    settings.HELPDESK_OUTGOING_HTTP = True
    listener, port = _talks(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 500, 0.1)
    began = time.monotonic()
    with listener, pytest.raises(NoAnswer):
        post(Client(deadline=0.6), f"{scheme}://{LOCAL}:{port}/")
    assert time.monotonic() - began < 5


@pytest.mark.usefixtures("inside_is_open")
@pytest.mark.parametrize(
    "said", [b"SSH-2.0-OpenSSH\r\n", b"\x00\xff" * 50, b"HTTP/1.1 abc\r\n\r\n"]
)
def test_who_speaks_something_else_gives_no_answer(settings: Settings, said: bytes) -> None:
    settings.HELPDESK_OUTGOING_HTTP = True
    listener, port = _talks(said, 0)
    with listener, pytest.raises(NoAnswer):
        post(Client(deadline=2), f"http://{LOCAL}:{port}/")


@pytest.mark.usefixtures("inside_is_open")
def test_a_closed_port_gives_no_answer_and_names_no_address(settings: Settings) -> None:
    settings.HELPDESK_OUTGOING_HTTP = True
    with socket.create_server((LOCAL, 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NoAnswer) as said:
        post(Client(), f"http://{LOCAL}:{port}/token-of-a-channel")
    assert "refused" in str(said.value)
    assert "token" not in str(said.value)


@pytest.mark.usefixtures("inside_is_open")
def test_the_next_address_of_a_name_is_asked_where_the_first_is_not_there(
    receiver: Receiver,
) -> None:
    client = leads_to("127.0.0.9", LOCAL)
    assert post(client, f"http://hooks.example:{receiver.port}/").status == 204


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for hooks.example, and its key, that nobody vouches for."""
    now = datetime.now(UTC)
    own = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example")])
    signed = (
        x509.CertificateBuilder(name, name, own.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example")]), critical=False)
        .sign(own, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    made, key = folder / "cert.pem", folder / "key.pem"
    made.write_bytes(signed.public_bytes(Encoding.PEM))
    key.write_bytes(own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return made, key


@pytest.fixture
def sealed(certificate: tuple[Path, Path], inside_is_open: None) -> Iterator[Receiver]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with receiving(context) as receiver:
        yield receiver


def trusting(certificate: tuple[Path, Path]) -> Client:
    return Client(
        resolver=lambda _name, _port: [LOCAL],
        tls=ssl.create_default_context(cafile=str(certificate[0])),
    )


def test_a_name_is_proved_by_its_certificate_whatever_address_was_asked(
    sealed: Receiver, certificate: tuple[Path, Path]
) -> None:
    client = trusting(certificate)
    assert post(client, f"https://hooks.example:{sealed.port}/x").status == 204
    with pytest.raises(NoAnswer, match="certificate"):
        post(client, f"https://other.example:{sealed.port}/x")
    assert [call.path for call in sealed.calls] == ["/x"]


def test_a_certificate_that_nobody_vouches_for_proves_nothing(sealed: Receiver) -> None:
    with pytest.raises(NoAnswer, match="certificate"):
        post(leads_to(LOCAL), f"https://hooks.example:{sealed.port}/x")
    assert sealed.calls == []
