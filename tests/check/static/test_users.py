"""Who runs the program, and what others may do."""

from __future__ import annotations

import pytest

from tests.check.images import LayerFile
from tests.check.static.looking import holding, look

PASSWD = LayerFile("etc/passwd", b"root:x:0:0::/root:/bin/sh\nmodel:x:1000:1000::/home/model:/bin/sh\n")
GROUP = LayerFile("etc/group", b"root:x:0:\nstaff:x:50:\n")


@pytest.mark.parametrize("user", ["", "root", "0", "0:0", "model", "1234", "model:staff", "model:0"])
def test_a_user_that_is_there_passes(user: str) -> None:
    assert look("image-user-exists", holding(PASSWD, GROUP, User=user)).status == "pass"


@pytest.mark.parametrize("user", ["nobody", "model:users"])
def test_a_user_or_group_that_is_not_there_fails(user: str) -> None:
    found = look("image-user-exists", holding(PASSWD, GROUP, User=user), words="FROM x\nUSER " + user)
    assert (found.status, found.line) == ("fail", 2)


@pytest.mark.parametrize(("user", "status"), [("", "pass"), ("0:0", "pass"), ("model", "warn")])
def test_sagemaker_expects_root(user: str, status: str) -> None:
    assert look("image-user", holding(PASSWD, User=user), "train").status == status


def test_serverless_endpoints_expect_no_root() -> None:
    assert look("image-user", holding(PASSWD, User="model"), "serverless").status == "pass"


def test_a_program_that_only_root_may_read_is_found() -> None:
    id_ = "serverless-file-permissions"
    assert look(id_, holding(), "serverless").status == "pass"
    assert look(id_, holding(LayerFile("opt/program/app.py", b"x", 0o600)), "serverless").status == "fail"
    assert look(id_, holding(LayerFile("etc/shadow", b"x", 0o600)), "serverless").status == "pass"
    assert look(id_, holding(LayerFile("usr/bin/sudo", b"x", 0o4711)), "serverless").status == "pass"


def test_a_world_writable_program_is_found() -> None:
    id_ = "image-world-writable"
    assert look(id_, holding(LayerFile("tmp/", mode=0o1777), LayerFile("var/log/x", b"x", 0o666))).status == "pass"
    found = look(
        id_, holding(LayerFile("opt/program/app.py", b"x", 0o666)), words="FROM x\nRUN chmod -R 777 /opt/program"
    )
    assert (found.status, found.line) == ("warn", 2)
    assert look(id_, holding(LayerFile("opt/program/", mode=0o777))).status == "warn"
