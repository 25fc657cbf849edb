"""The client listener over TLS: the same tokens, and nobody reads them on the way."""

import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from deploy.stack.listeners import TokenTrust
from deploy.stack.local import local_stack
from deploy.stack.stack import KafkaAccess, UpOutcome
from producers.kafka_login import check_login
from producers.kafka_publisher import KafkaPublisher
from producers.topics import Topics
from schemas.clock import SystemClock
from schemas.errors import DependencyUnavailable
from schemas.login import PRODUCER, KafkaLogin
from schemas.record import Record
from tests.support.issuer import Issuer, new_key, serving_issuer


def keystore(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Make a broker's key and certificate; return the file of both, and a context that trusts it alone."""
    key, now = new_key(), SystemClock().now()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kafka.contoso.example")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(Encoding.PEM)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = folder / "kafka.pem"
    file.touch(mode=0o600)
    file.write_bytes(private + public)
    return file, ssl.create_default_context(cadata=public.decode())


def over_tls(issuer: Issuer, context: ssl.SSLContext, client: str) -> KafkaLogin:
    return issuer.login(client)._replace(tls=context)


async def one(topic: str) -> AsyncIterator[Record]:
    yield Record(topic, 0, -1, 1, b"k", (), b"v")


async def test_tokens_work_over_tls_and_nothing_works_without(tmp_path: Path) -> None:
    """The stack makes its topics and grants over TLS; a client without it, or that trusts another, gets nowhere.

    A broker that is started again, with another password of its own, holds to what was granted.
    """
    file, context = keystore(tmp_path)
    with serving_issuer() as issuer:
        trust = TokenTrust(issuer.jwks_url, issuer.name, keystore=file)
        access = KafkaAccess(trust, lambda client: over_tls(issuer, context, client), "lync-archiver")
        async with local_stack(tmp_path / "stack", access=access) as stack:
            async with KafkaPublisher(stack.bootstrap, stack.login(PRODUCER)):
                pass
            for login in (issuer.login(PRODUCER), over_tls(issuer, ssl.create_default_context(), PRODUCER)):
                with pytest.raises(DependencyUnavailable, match="does not answer to a login"):
                    await check_login(stack.bootstrap, login)
            await stack.stack.kafka.stop()
            assert await stack.stack.up() is UpOutcome.HEALED
            async with KafkaPublisher(stack.bootstrap, stack.login(PRODUCER)) as publisher:
                assert await publisher.publish(one(Topics().contacts)) == 1
