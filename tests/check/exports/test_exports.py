"""What is written has the form that the tools read, names its rules, hides none, and is always the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, get_args

import pytest
import yaml

from samebox.check import exports, subject
from samebox.check.checks import Claim, Options
from samebox.check.registry import CHECKS
from samebox.check.runner import Run
from tests.check.images import ImageSource, LayerFile, elf, layer, script
from tests.check.static.looking import GOOD, holding

if TYPE_CHECKING:
    from pathlib import Path

LABEL = "com.amazonaws.sagemaker.capabilities."
TOOLS = tuple(elf(f"usr/bin/{name}") for name in ("find", "id", "mkdir", "timeout", "uname", "pip"))
VALID = holding(*TOOLS, Labels={f"{LABEL}accept-bind-to-port": "true"}, ExposedPorts={"8080/tcp": {}}, User="root")

# The README of container-structure-test 1.19: its types of tests, and the fields of each.
STRUCTURE = {
    "commandTests": {"name", "setup", "command", "args", "expectedOutput", "excludedOutput", "exitCode"},
    "fileExistenceTests": {"name", "path", "shouldExist", "isExecutableBy", "permissions", "uid", "gid"},
    "fileContentTests": {"name", "path", "expectedContents", "excludedContents"},
}
METADATA = {"entrypoint", "labels", "exposedPorts", "envVars", "unboundEnvVars", "user", "workdir", "cmd"}
# goss.rocks/gossfile, of goss 0.4: what a test of each section must have, and what it may have.
GOSS = {
    "file": ({"exists"}, {"path", "mode", "size", "contents"}),
    "user": ({"exists"}, {"username"}),
    "group": ({"exists"}, {"groupname"}),
    "command": ({"exit-status"}, {"exec", "stdout", "timeout"}),
    "addr": ({"reachable"}, {"address", "timeout"}),
    "http": (
        {"status"},
        {"url", "method", "timeout", "no-follow-redirects", "request-headers", "request-body"},
    ),
}


def write(folder: Path, image: ImageSource, *claims: Claim, **options: Any) -> dict[str, str]:
    """Name of the file -> its text, of all checks there are."""
    path = folder / "image.tar"
    path.write_bytes(image.docker_archive())
    with Run(None, Options(claims=frozenset(claims), **options), subject=subject.from_path(path)) as run:
        return {name: text for one in exports.write(run.context, CHECKS) for name, text in one.files.items()}


def rendered(text: str) -> Any:
    """As goss reads it, which takes it for a template first."""
    text = re.sub(r"{{getEnv `HOSTNAME`}}", "c0ffee", text)
    text = re.sub(r"{{getEnv `\w+` `(\w+)`}}", r"\1", text)
    rest = text.replace("{{`{{`}}", "\0")
    assert "{{" not in rest
    return yaml.safe_load(rest.replace("\0", "{{"))


def names_of_structure(text: str) -> list[str]:
    read = yaml.safe_load(text)
    return [row["name"] for section in STRUCTURE for row in read.get(section, [])]


@pytest.mark.parametrize("claim", get_args(Claim))
def test_container_structure_test_can_read_it(tmp_path: Path, claim: Claim) -> None:
    read = yaml.safe_load(write(tmp_path, VALID, claim)["container-structure-test.yaml"])
    assert read.pop("schemaVersion") == "2.0.0"
    assert set(read.pop("metadataTest")) <= METADATA
    for section, rows in read.items():
        for row in rows:
            assert {"name"} <= set(row) <= STRUCTURE[section], row
            assert row.get("isExecutableBy", "any") in ("owner", "group", "other", "any")
            for words in (row.get("command", ""), *row.get("args", []), row.get("path", "")):
                assert isinstance(words, str)
                assert "$" not in words, "the tool takes it for a variable"


@pytest.mark.parametrize("claim", get_args(Claim))
def test_goss_can_read_it(tmp_path: Path, claim: Claim) -> None:
    for name, text in write(tmp_path, VALID, claim).items():
        if not name.startswith("goss"):
            continue
        for section, rows in rendered(text).items():
            must, may = GOSS[section]
            for row in rows.values():
                assert must <= set(row) <= must | may, row


@pytest.mark.parametrize("claim", get_args(Claim))
def test_every_rule_that_is_of_interest_is_expressed_or_left_out_with_a_reason(tmp_path: Path, claim: Claim) -> None:
    files = write(tmp_path, VALID, claim)
    ids = [check.rule.id for check in CHECKS if check.is_of_interest(frozenset({claim}))]
    for name in ("container-structure-test.yaml", "goss.yaml"):
        silent = [one for one in ids if not re.search(rf"(?m)[ \"]{one}(:|,|$)", files[name])]
        assert silent == [], name


def test_every_test_bears_the_id_of_a_rule_and_no_two_have_one_name(tmp_path: Path) -> None:
    files = write(tmp_path, VALID, "train", "serve", "transform", "serverless", "processing")
    goss = [name for rows in rendered(files["goss.yaml"]).values() for name in rows]
    for names in (names_of_structure(files["container-structure-test.yaml"]), goss):
        assert len(set(names)) == len(names)
        assert {name.partition(":")[0] for name in names} <= {check.rule.id for check in CHECKS}
    text = files["goss.yaml"]
    assert len(re.findall(r'(?m)^  "', text)) == len(goss), "a key that comes twice hides a test"


def test_the_same_image_gives_the_same_bytes(tmp_path: Path) -> None:
    first = write(tmp_path, VALID, "train", "serve")
    other = tmp_path / "elsewhere"
    other.mkdir()
    assert write(other, VALID, "train", "serve") == first
    assert all(text.startswith(f"{exports.MARK}\n") for text in first.values())


def test_what_is_wrong_today_is_asked_for_as_it_would_be_right(tmp_path: Path) -> None:
    broken = holding(
        script("opt/run.sh", "#!/bin/sh\r"),
        LayerFile("opt/ml/model/model.bin", b"x"),
        LayerFile("root/.netrc", b"machine a login b password c\n"),
        Entrypoint=["/usr/bin/tini", "-g", "--", "/opt/run.sh", "--fast"],
        Labels={f"{LABEL}multi-models": "yes"},
        ExposedPorts={"5000/tcp": {}},
        Env=["PATH=/usr/bin:/bin", "DB_PASSWORD=s3cretW0rd9"],
        User="ghost:ghosts",
    )
    read = yaml.safe_load(write(tmp_path, broken, "serve")["container-structure-test.yaml"])
    assert read["metadataTest"]["entrypoint"] == ["/opt/run.sh", "--fast"]
    assert read["metadataTest"]["labels"] == [{"key": f"{LABEL}multi-models", "value": "true"}]
    assert read["metadataTest"]["exposedPorts"] == ["8080"]
    assert {"key": "DB_PASSWORD"} in read["metadataTest"]["unboundEnvVars"]
    absent = {row["path"] for row in read["fileExistenceTests"] if not row["shouldExist"]}
    assert {"/opt/ml/model/model.bin", "/root/.netrc"} <= absent
    contents = {row["path"]: row for row in read["fileContentTests"]}
    assert re.search(contents["/opt/run.sh"]["excludedContents"][0], "#!/bin/sh\r\n")
    assert contents["/etc/passwd"]["expectedContents"] == ["(?m)^ghost:"]
    assert contents["/etc/group"]["expectedContents"] == ["(?m)^ghosts:"]


def test_a_shell_in_front_of_the_program_goes(tmp_path: Path) -> None:
    image = holding(Entrypoint=["/bin/sh", "-c", "exec gunicorn 'an app'"])
    read = yaml.safe_load(write(tmp_path, image, "serve")["container-structure-test.yaml"])
    assert read["metadataTest"]["entrypoint"] == ["gunicorn", "an app"]


def test_text_of_an_image_is_escaped_in_the_exports(tmp_path: Path) -> None:
    odd = '{{ fail }}"\n- name: x #\u2028$HOME'
    (tmp_path / "a.json").write_text('{"template": "{{.Env}}", "line": "\u0085", "end": "\\n"}')
    image = holding(Labels={f"{LABEL}multi-models": odd}, Entrypoint=[f"/opt/{odd}"], User=f"{odd}", Env=["PATH=/bin"])
    files = write(tmp_path, image, "serve", payloads=(tmp_path / "a.json",))
    read = yaml.safe_load(files["container-structure-test.yaml"])
    assert read["metadataTest"]["entrypoint"] == [f"/opt/{odd}"]
    http = rendered(files["goss.yaml"])["http"]
    assert http["serve-invocations: a.json is answered 2xx"]["request-body"] == (tmp_path / "a.json").read_text()


def test_a_payload_that_is_no_text_is_left_out_with_a_note(tmp_path: Path) -> None:
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY\xff")
    text = write(tmp_path, VALID, "serve", payloads=(tmp_path / "x.npy",))["goss.yaml"]
    assert "# - serve-invocations: x.npy cannot be written down: it is not text, or long." in text


def test_a_training_is_run_with_its_hyperparameters_where_it_can_be(tmp_path: Path) -> None:
    text = write(tmp_path, VALID, "train", hyperparameters={"name": "it's"})["container-structure-test.yaml"]
    (row,) = [one for one in yaml.safe_load(text)["commandTests"] if one["name"].startswith("train-completes")]
    assert row["args"][1].endswith("timeout 600 train")
    assert """'{"name":"it'"'"'s"}' > /opt/ml/input/config/hyperparameters.json""" in row["setup"][0][2]
    (tmp_path / "data").mkdir()
    for options in ({"data": tmp_path / "data"}, {"hyperparameters": {"name": "$HOME"}}):
        text = write(tmp_path, VALID, "train", **options)["container-structure-test.yaml"]
        assert not [name for name in names_of_structure(text) if name.startswith("train-completes")]
        assert re.search("# - train-argument, train-completes[^:]*: (the data is|container-structure-test takes)", text)


def test_a_server_is_asked_at_the_port_of_the_variable(tmp_path: Path) -> None:
    assert (
        "http://127.0.0.1:{{getEnv `SAGEMAKER_BIND_TO_PORT` `8080`}}/ping"
        in write(tmp_path, VALID, "serve")["goss.yaml"]
    )
    assert "http://127.0.0.1:8080/ping" in write(tmp_path, ImageSource((layer(*GOOD),)), "serve")["goss.yaml"]


def test_only_a_server_is_waited_for(tmp_path: Path) -> None:
    assert "goss_wait.yaml" not in write(tmp_path, VALID, "train")
    for claim in ("serve", "multi-model"):
        files = write(tmp_path, VALID, claim)
        ((name, row),) = rendered(files["goss_wait.yaml"])["http"].items()
        assert row["status"] == 200
        assert name.startswith(("serve-ready: ", "multi-model-starts: "))
    assert "-e SAGEMAKER_MULTI_MODEL=true IMAGE serve" in files["goss.yaml"]


def test_the_export_notes_that_an_image_has_no_shell(tmp_path: Path) -> None:
    image = ImageSource((layer(elf("usr/bin/serve")),))
    files = write(tmp_path, image, "serve")
    assert "# This image has no sh, and dgoss cannot be used on it" in files["goss.yaml"]
    assert "commandTests" not in files["container-structure-test.yaml"]
    absent = [row["path"] for row in yaml.safe_load(files["container-structure-test.yaml"])["fileExistenceTests"]]
    assert "/opt/ml/model" in absent


def test_the_reason_is_the_one_that_knows_most_of_the_rule(tmp_path: Path) -> None:
    text = write(tmp_path, VALID, "serverless")["container-structure-test.yaml"]
    assert "serverless-read-only-root, serverless-non-root: no server runs beside its tests." in " ".join(text.split())
    assert re.search("- serverless-image-size, [^:]*: the tool sees files as the last", text)


@pytest.mark.parametrize("claim", get_args(Claim))
def test_each_rule_has_a_text_of_its_own(tmp_path: Path, claim: Claim) -> None:
    assert [name for name, text in write(tmp_path, VALID, claim).items() if "cannot express it" in text] == []
