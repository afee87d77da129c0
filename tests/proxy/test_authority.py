"""The certificate authority of a data folder."""

import os
import socket
import ssl
import stat
import threading
from pathlib import Path

import pytest
from cryptography import x509

from samebox.proxy.authority import Authority, public_roots

HOST = "bucket.with.dots.s3.ap-northeast-2.amazonaws.com"


def handshake(server: ssl.SSLContext, bundle: Path, name: str) -> str | None:
    """Connects a client that trusts the bundle. The protocol that both agreed on; raises ssl.SSLError."""
    client = ssl.create_default_context(cafile=bundle)
    client.set_alpn_protocols(["h2", "http/1.1"])
    here, there = socket.socketpair()

    def serve() -> None:
        try:
            with server.wrap_socket(there, server_side=True) as secured:
                secured.recv(1)
        except OSError:
            pass  # the client gave up, which it reports itself

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(here, server_hostname=name) as secured:
            secured.sendall(b"x")
            return secured.selected_alpn_protocol()
    finally:
        here.close()
        thread.join(30)


def test_a_client_with_the_bundle_trusts_each_host_of_aws(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "proxy")
    for host in (HOST, "sts.us-east-1.amazonaws.com", f"{'b' * 63}.s3.us-east-1.amazonaws.com"):
        assert handshake(authority.context(host), authority.bundle, host) == "http/1.1"


def test_the_certificate_of_one_host_is_none_of_another(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(authority.context(HOST), authority.bundle, "sts.us-east-1.amazonaws.com")


def test_it_can_vouch_for_no_host_that_is_not_of_aws(tmp_path: Path) -> None:
    # As an attacker with its key would try.
    authority = Authority(tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        handshake(authority.context("pypi.org"), authority.bundle, "pypi.org")


def test_its_key_is_its_owners_alone_and_the_bundle_is_readable_in_containers(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        authority = Authority(tmp_path / "proxy")
        authority.context(HOST)
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "proxy").iterdir()}
    assert modes == {"ca.key": 0o600, "ca.pem": 0o644, "ca-bundle.pem": 0o644}


def test_it_is_the_same_after_a_restart_and_another_folders_is_another(tmp_path: Path) -> None:
    first, again, other = Authority(tmp_path / "a"), Authority(tmp_path / "a"), Authority(tmp_path / "b")
    assert handshake(again.context(HOST), first.bundle, HOST) == "http/1.1"
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(other.context(HOST), first.bundle, HOST)


def test_a_key_without_its_certificate_becomes_a_new_authority(tmp_path: Path) -> None:
    # A kill between the two files.
    authority = Authority(tmp_path)
    authority.certificate_file.unlink()
    again = Authority(tmp_path)
    assert handshake(again.context(HOST), again.bundle, HOST) == "http/1.1"


def test_the_bundle_has_the_public_authorities_too(tmp_path: Path) -> None:
    roots = tmp_path / "roots.pem"
    roots.write_bytes(Authority(tmp_path / "other").certificate_file.read_bytes())
    authority = Authority(tmp_path / "own", roots)
    assert authority.bundle.read_bytes().startswith(roots.read_bytes().rstrip())
    assert len(x509.load_pem_x509_certificates(authority.bundle.read_bytes())) == 2
    assert public_roots().read_bytes().count(b"BEGIN CERTIFICATE") > 50


def test_a_context_is_made_once_for_a_host(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    assert authority.context(HOST) is authority.context(HOST)


def test_one_listener_is_each_of_its_hosts_that_a_client_names_and_no_other(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    hosts = (HOST, "000000000000.dkr.ecr.us-east-1.amazonaws.com")
    context = authority.context_of(hosts)
    for host in hosts:
        handshake(context, authority.bundle, host)
    with pytest.raises(ssl.SSLError):
        handshake(context, authority.bundle, "sts.amazonaws.com")
