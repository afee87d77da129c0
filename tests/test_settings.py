"""Settings are read once, and what cannot be meant is refused with the name of its variable."""

from pathlib import Path

import pytest

from samebox.settings import Settings, destinations, is_loopback, words


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


@pytest.mark.parametrize("name", ["HTTP_PROXY", "HTTPS_PROXY", "PACKAGE_INDEX"])
@pytest.mark.parametrize("value", ["http://127.0.0.1:3128", "http://localhost/simple", "https://[::1]:8443/simple"])
def test_an_address_that_is_another_one_in_a_container_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=rf"SAMEBOX_{name}=.* is the container\. Give an address"):
        Settings.read({f"SAMEBOX_{name}": value})


@pytest.mark.parametrize("value", ["proxy.example:3128", "proxy", "http://"])
def test_a_proxy_is_a_url(value: str) -> None:
    with pytest.raises(ValueError, match=r"SAMEBOX_HTTPS_PROXY=.* expected a URL"):
        Settings.read({"SAMEBOX_HTTPS_PROXY": value})


def test_a_bundle_of_certificates_is_looked_at_before_any_job_fails_for_it(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    for says in ("No such file", "no certificate in it"):
        with pytest.raises(ValueError, match=f"SAMEBOX_CA_BUNDLE=.*{says}"):
            Settings.read({"SAMEBOX_CA_BUNDLE": str(bundle)})
        bundle.write_text("-----BEGIN PRIVATE KEY-----")
    bundle.write_text("# mine\n-----BEGIN CERTIFICATE-----\n")
    assert Settings.read({"SAMEBOX_CA_BUNDLE": str(bundle)}).ca_bundle == str(bundle)
    with pytest.raises(ValueError, match="expected an absolute path"):
        Settings.read({"SAMEBOX_CA_BUNDLE": "ca.pem"})


def test_an_empty_data_folder_is_not_the_current_one() -> None:
    with pytest.raises(ValueError, match="SAMEBOX_DATA_DIR is empty"):
        Settings.read({"SAMEBOX_DATA_DIR": ""})


def test_events_go_to_this_machine_alone() -> None:
    near = "hook=http://127.0.0.1:8000/hook?a=b, six=http://[::1]:9/"
    assert Settings.read({"SAMEBOX_EVENT_DESTINATIONS": near}).event_destinations == near
    assert destinations(near) == {"hook": "http://127.0.0.1:8000/hook?a=b", "six": "http://[::1]:9/"}
    for wrong in ("hook", "=http://127.0.0.1/", "a=https://127.0.0.1/", "a=http://169.254.169.254/", "a=http://x.example/",
                  "a=http://u:p@127.0.0.1/", "a=http://127.0.0.1.x.example/", "a=http://[/"):  # fmt: skip
        with pytest.raises(ValueError, match="EVENT_DESTINATIONS"):
            Settings.read({"SAMEBOX_EVENT_DESTINATIONS": wrong})


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("SHARDING", "turns or blocks"),
        ("PARTIAL_PREFIX_NAMES", "segment or rest"),
        ("TRANSFORM_OUTPUT_KEYS", "relative or whole"),
        ("FAST_FILE_SHOWN_AS", "File or FastFile"),
        ("REPOSITORY_URIS", "auto, aws or local"),
    ],
)
def test_a_choice_is_one_of_its_values(name: str, choices: str) -> None:
    with pytest.raises(ValueError, match=f"^SAMEBOX_{name}=other: {choices} is wanted.$"):
        Settings.read({f"SAMEBOX_{name}": "other"})
    for value in choices.replace(" or ", ", ").split(", "):
        assert getattr(Settings.read({f"SAMEBOX_{name}": value}), name.lower()) == value


@pytest.mark.parametrize("text", ["soon", "30,soon", "30;60", "-1", "nan", "1e999"])
def test_spot_jobs_are_interrupted_after_numbers_of_seconds(text: str) -> None:
    with pytest.raises(ValueError, match=r"SAMEBOX_SPOT_INTERRUPT_AFTER: .* is not a number of seconds"):
        Settings.read({"SAMEBOX_SPOT_INTERRUPT_AFTER": text})
    for written, seconds in (("", ()), ("30", (30.0,)), ("30, 1.5", (30.0, 1.5)), ("30  60", (30.0, 60.0))):
        assert Settings.read({"SAMEBOX_SPOT_INTERRUPT_AFTER": written}).spot_interruptions == seconds


@pytest.mark.parametrize("text", ["nofile", "nofile=", "nofile=a", "nofile=1:2:3", "nproc=1", "memlock=-2"])
def test_ulimits_are_names_and_numbers(text: str) -> None:
    with pytest.raises(ValueError, match=r"SAMEBOX_ULIMITS: .* is not a name and one or two numbers"):
        Settings.read({"SAMEBOX_ULIMITS": text})
    assert Settings.read({"SAMEBOX_ULIMITS": "nofile=1:2, core=0"}).ulimits_by_name == {
        "nofile": (1, 2),
        "core": (0, 0),
    }
