"""A certificate authority of one data folder: a certificate for each of AWS's names that a client asks for.

It may vouch for AWS's domains alone (RFC 5280 name constraints), so that its key, were it stolen, is good for nothing
else. It is put into no trust store; clients are given `bundle`, which has the public authorities as well.
"""

import datetime
import os
import ssl
import threading
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from samebox.proxy import targets

# Where systems keep the authorities that they trust, a company's own included: Debian, Fedora, SUSE, Alpine and macOS.
SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_DAY = datetime.timedelta(days=1)
_YEARS = 3650 * _DAY
_RENEWED_BEFORE = 400 * _DAY  # longer than a certificate of a host is good
_HOST_DAYS = 397 * _DAY
_KEPT_CONTEXTS = 512  # clients choose the names, each bucket is one
_Key = ec.EllipticCurvePrivateKey


class Authority:
    """Threads may share it. Everything in it reads or writes files, so none of it is for the event loop.

    `folder` is made if it is not there. `roots` is a PEM file of the public authorities, by default the system's.
    """

    def __init__(self, folder: Path, roots: Path | None = None) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.certificate_file, self.bundle = folder / "ca.pem", folder / "ca-bundle.pem"
        self._chain_file = folder / "host.pem.part"
        self._key, self._certificate = _opened(folder / "ca.key", self.certificate_file)
        # One key for all hosts: a key for each would protect nothing more, and costs each first connection.
        self._host_key = ec.generate_private_key(ec.SECP256R1())
        self._contexts: OrderedDict[str, ssl.SSLContext] = OrderedDict()
        self._lock = threading.Lock()
        own = self.certificate_file.read_bytes()
        public = (roots or public_roots()).read_bytes()
        _write(self.bundle, public.rstrip() + b"\n\n# samebox, for AWS's domains alone\n" + own, 0o644)

    def context(self, host: str) -> ssl.SSLContext:
        """What a server needs to be the host. Made at the host's first use, and kept."""
        with self._lock:
            found = self._contexts.pop(host, None) or self._make(host)
            self._contexts[host] = found
            while len(self._contexts) > _KEPT_CONTEXTS:
                self._contexts.popitem(last=False)
            return found

    def context_of(self, hosts: Iterable[str]) -> ssl.SSLContext:
        """What a server needs to be each of these hosts, whichever a client names (SNI). All are made at once."""
        known = {host: self.context(host) for host in hosts}
        context = _context()

        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
            chosen = known.get((name or "").lower())
            if chosen is None:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            connection.context = chosen
            return None

        context.sni_callback = choose
        return context

    def _make(self, host: str) -> ssl.SSLContext:
        chain = _pem(self._leaf(host)) + _pem(self._certificate) + _private(self._host_key)
        context = _context()
        # OpenSSL takes a chain from a file alone.
        _write(self._chain_file, chain, 0o600)
        try:
            context.load_cert_chain(self._chain_file)
        finally:
            self._chain_file.unlink()
        return context

    def _leaf(self, host: str) -> x509.Certificate:
        # A common name has 64 characters at most, and clients look at the alternative name alone.
        name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "samebox")])
        builder = _builder(name, self._certificate.subject, self._host_key.public_key(), _HOST_DAYS)
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (x509.SubjectAlternativeName([x509.DNSName(host)]), False),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), False),
        ]
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self._key, hashes.SHA256())


def public_roots() -> Path:
    """The authorities that this system trusts; those of Mozilla where it has no file of them."""
    found = next((path for path in map(Path, SYSTEM_BUNDLES) if path.is_file()), None)
    return found or Path(certifi.where())


def _opened(key_file: Path, certificate_file: Path) -> tuple[_Key, x509.Certificate]:
    """The folder's authority; a new one where it has none, or one that ends soon."""
    try:
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
    except (FileNotFoundError, ValueError):
        return _new(key_file, certificate_file)
    ends_soon = certificate.not_valid_after_utc < _now() + _RENEWED_BEFORE
    if not isinstance(key, _Key) or ends_soon or certificate.public_key() != key.public_key():
        return _new(key_file, certificate_file)
    return key, certificate


def _new(key_file: Path, certificate_file: Path) -> tuple[_Key, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "samebox"),
            x509.NameAttribute(NameOID.COMMON_NAME, "samebox, for AWS's domains on this machine"),
        ]
    )
    builder = _builder(name, name, key.public_key(), _YEARS)
    domains = [x509.DNSName(domain) for domain in (*targets.DOMAINS, "on.aws", "on.amazonwebservices.com.cn")]
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (x509.NameConstraints(permitted_subtrees=domains, excluded_subtrees=None), True),
        (_CA_USAGE, True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
    ]
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    certificate = builder.sign(key, hashes.SHA256())
    _write(key_file, _private(key), 0o600)
    _write(certificate_file, _pem(certificate), 0o644)
    return key, certificate


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, life: datetime.timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() - _DAY)  # a container's clock may be a little behind
        .not_valid_after(_now() + life)
    )


_CA_USAGE = x509.KeyUsage(
    digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
    data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
)  # fmt: skip


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: _Key) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole, or not at all; never readable by others for a moment."""
    partial = path.with_name(f"{path.name}.new")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)  # whatever the umask takes away: users in containers read the bundle
        file.write(content)
    partial.replace(path)
