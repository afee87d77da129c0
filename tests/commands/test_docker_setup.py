"""`samebox docker-setup`: what it writes below /etc, and that it takes exactly that back."""

import json
from pathlib import Path

import pytest

from samebox import cli
from samebox.proxy import docker_names
from samebox.proxy.authority import Authority

HOST = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com"
HOSTS = "127.0.0.1\tlocalhost\n10.0.0.7 mine.example # samebox docker-setup of a person's own\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with an authority; the emulator does not run."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    Authority(tmp_path / "data" / "proxy")
    return tmp_path / "data"


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "hosts").write_text(HOSTS)
    return tmp_path / "etc"


def setup(folder: Path, etc: Path, *more: str) -> int:
    wanted = ["--account", "123456789012", "--region", "ap-northeast-2", "--region", "cn-north-1"]
    return cli.main(["docker-setup", "--data-dir", str(folder), "--etc", str(etc), "--yes", *wanted, *more])


def files(etc: Path) -> dict[str, str]:
    return {str(path.relative_to(etc)): path.read_text() for path in sorted(etc.rglob("*")) if path.is_file()}


def test_names_get_an_address_of_this_machine_and_a_certificate_each(
    folder: Path, etc: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert setup(folder, etc) == 0
    told = capsys.readouterr().out
    names = docker_names.read(folder)
    china = "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"
    assert names.hosts == (HOST, china)
    assert names.address.startswith("127.45.")
    written = files(etc)
    assert written["hosts"] == HOSTS + "".join(f"{names.address} {one} # samebox docker-setup\n" for one in names.hosts)
    certificate = (folder / "proxy" / "ca.pem").read_text()
    for host in names.hosts:
        assert written[f"docker/certs.d/{host}/ca.crt"] == f"# samebox docker-setup\n{certificate}"
    # All that is written was shown.
    assert all(str(etc / path) in told for path in written)


def test_undo_leaves_everything_as_it_was(folder: Path, etc: Path) -> None:
    setup(folder, etc)
    assert cli.main(["docker-setup", "--data-dir", str(folder), "--etc", str(etc), "--undo", "--yes"]) == 0
    assert files(etc) == {"hosts": HOSTS}
    assert docker_names.read(folder) == docker_names.DockerNames()


def test_a_second_setup_takes_the_place_of_the_first(folder: Path, etc: Path) -> None:
    setup(folder, etc)
    setup(folder, etc, "--proxy")
    written = files(etc)
    assert written["hosts"] == HOSTS
    assert json.loads(written["docker/daemon.json"]) == {"proxies": {"https-proxy": "http://127.0.0.1:4566"}}


def test_undo_leaves_another_proxy_that_was_set_since(folder: Path, etc: Path) -> None:
    setup(folder, etc, "--proxy")
    daemon = etc / "docker" / "daemon.json"
    daemon.write_text('{"proxies": {"https-proxy": "http://proxy.example:3128"}}')
    assert cli.main(["docker-setup", "--data-dir", str(folder), "--etc", str(etc), "--undo", "--yes"]) == 0
    assert json.loads(daemon.read_text()) == {"proxies": {"https-proxy": "http://proxy.example:3128"}}


def test_settings_of_the_daemon_stay(folder: Path, etc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (etc / "docker").mkdir()
    daemon = etc / "docker" / "daemon.json"
    daemon.write_text('{"debug": true, "proxies": {"no-proxy": "corp.example"}}')
    assert setup(folder, etc, "--proxy", "--port", "4599") == 0
    assert json.loads(daemon.read_text()) == {
        "debug": True,
        "proxies": {"no-proxy": "corp.example", "https-proxy": "http://127.0.0.1:4599"},
    }
    assert "Restart the Docker daemon" in capsys.readouterr().out
    cli.main(["docker-setup", "--data-dir", str(folder), "--etc", str(etc), "--undo", "--yes"])
    assert json.loads(daemon.read_text()) == {"debug": True, "proxies": {"no-proxy": "corp.example"}}


def test_what_is_of_another_is_not_touched(folder: Path, etc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (etc / "docker" / "certs.d" / HOST).mkdir(parents=True)
    (etc / "docker" / "certs.d" / HOST / "ca.crt").write_text("theirs")
    (etc / "docker" / "daemon.json").write_text('{"proxies": {"https-proxy": "http://proxy.example:3128"}}')
    before = files(etc)
    assert setup(folder, etc) == 1
    assert "is there already" in capsys.readouterr().err
    (etc / "docker" / "certs.d" / HOST / "ca.crt").unlink()
    assert setup(folder, etc, "--proxy") == 1
    assert "has a proxy already" in capsys.readouterr().err
    assert {**files(etc), f"docker/certs.d/{HOST}/ca.crt": "theirs"} == before


def test_without_a_terminal_it_asks_for_yes_and_writes_nothing(folder: Path, etc: Path) -> None:
    assert cli.main(["docker-setup", "--data-dir", str(folder), "--etc", str(etc)]) == 2
    assert files(etc) == {"hosts": HOSTS}
    assert cli.main(["docker-setup", "--data-dir", str(folder), "--etc", str(etc), "--undo"]) == 0


def test_an_emulator_that_never_ran_has_no_certificate(
    tmp_path: Path, etc: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert setup(tmp_path / "none", etc) == 1
    assert "samebox up" in capsys.readouterr().err


def test_the_daemons_proxy_is_the_port_of_this_shell(folder: Path, etc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMEBOX_PORT", "4711")
    assert setup(folder, etc, "--proxy") == 0
    assert json.loads(files(etc)["docker/daemon.json"]) == {"proxies": {"https-proxy": "http://127.0.0.1:4711"}}


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--account", "12", "12 digits"),
        ("--region", "nowhere", "name of a region"),
        ("--address", "my-host", "IP address"),
    ],
)
def test_what_would_be_no_name_or_address_is_refused(
    option: str, value: str, reason: str, folder: Path, etc: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert setup(folder, etc, option, value) == 2
    assert reason in capsys.readouterr().err
    assert files(etc) == {"hosts": HOSTS}


def test_settings_of_the_daemon_that_cannot_be_read_are_left(
    folder: Path, etc: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (etc / "docker").mkdir()
    (etc / "docker" / "daemon.json").write_text("{debug: true}")
    assert setup(folder, etc, "--proxy") == 1
    assert "is not JSON" in capsys.readouterr().err
    assert files(etc) == {"hosts": HOSTS, "docker/daemon.json": "{debug: true}"}
