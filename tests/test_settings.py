"""Settings are read once, and what cannot be meant is refused with the name of its variable."""

import pytest

from emulator.settings import Settings, is_loopback, words


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1"])
def test_loopback_needs_no_token(host: str) -> None:
    assert is_loopback(host)
    assert Settings.read({"SAMEBOX_HOST": host}).host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "my.box", "127.evil.example", "127.0.0.1.evil.example"])
def test_any_other_address_needs_one(host: str) -> None:
    with pytest.raises(ValueError, match="SAMEBOX_TOKEN"):
        Settings.read({"SAMEBOX_HOST": host})
    assert Settings.read({"SAMEBOX_HOST": host, "SAMEBOX_TOKEN": "t"}).host == host


@pytest.mark.parametrize(
    "origins", ["", "http://localhost:3000", "https://a.example, HTTP://B.example:80", "http://[::1]:3000"]
)
def test_origins_are_as_browsers_write_them(origins: str) -> None:
    assert Settings.read({"SAMEBOX_ALLOWED_ORIGINS": origins}).allowed_origins == origins


@pytest.mark.parametrize("origins", ["*", "localhost:3000", "http://a.example/", "http://a.example/page", "null"])
def test_what_no_browser_sends_as_an_origin_is_refused(origins: str) -> None:
    with pytest.raises(ValueError, match=r"SAMEBOX_ALLOWED_ORIGINS: .* is not an origin"):
        Settings.read({"SAMEBOX_ALLOWED_ORIGINS": origins})


@pytest.mark.parametrize("hosts", ["my.box", "my_box, *.lab.example", "10.0.0.7", "fe80::1"])
def test_hosts_are_names_and_addresses(hosts: str) -> None:
    assert Settings.read({"SAMEBOX_ALLOWED_HOSTS": hosts}).allowed_hosts == hosts


@pytest.mark.parametrize("hosts", ["*", "http://my.box", "my.box:4566", "*.", "a b"])
def test_what_is_no_host_is_refused(hosts: str) -> None:
    with pytest.raises(ValueError, match=r"SAMEBOX_ALLOWED_HOSTS: .* is not a host name"):
        Settings.read({"SAMEBOX_ALLOWED_HOSTS": hosts})


def test_a_list_is_separated_by_commas() -> None:
    assert words(" A.example,,b , ") == ("a.example", "b")
