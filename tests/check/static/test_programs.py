"""What `docker run IMAGE train` and `docker run IMAGE serve` would start is determined without running them."""

from __future__ import annotations

import struct

import pytest

from tests.check.images import SHELL, ImageSource, LayerFile, elf, layer, script
from tests.check.static.looking import GOOD, holding, look

RUNS = script("usr/local/bin/entry", '#!/bin/sh\nexec "$@"')
KNOWS = script("usr/local/bin/entry", "#!/bin/sh\ncase $1 in train) exec python;; esac")


def with_train(*entries: LayerFile, **config: object) -> ImageSource:
    return ImageSource((layer(*SHELL, *entries),), config)


@pytest.mark.parametrize(
    "image",
    [
        with_train(script("usr/local/bin/train")),
        with_train(elf("usr/bin/train")),
        with_train(script("opt/train", "#!/bin/sh"), LayerFile("usr/bin/train", link="/opt/train")),
        with_train(script("opt/train", "#!/bin/sh"), LayerFile("usr/bin/train", link="../../opt/train")),
        with_train(script("opt/train"), LayerFile("usr/bin/train", link="opt/train", hard=True)),
        with_train(script("usr/bin/train", "#!/usr/bin/env -S python3 -u"), elf("usr/bin/python3")),
        with_train(script("app/train"), Env=["PATH=/app"]),
        with_train(script("app/train"), Env=["PATH=app"], WorkingDir="/"),
        with_train(KNOWS, Entrypoint=["entry"]),
        with_train(RUNS, script("usr/bin/train"), Entrypoint=["/usr/local/bin/entry"]),
    ],
)
def test_a_train_that_can_be_started_passes(image: ImageSource) -> None:
    found = look("train-program", image, "train")
    assert (found.status, found.seen) == ("pass", found.seen)


def elf_with_loader(path: str, loader: str) -> LayerFile:
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    name = loader.encode() + b"\0"
    return LayerFile(path, header + struct.pack("<IIQQQQQQ", 3, 4, 120, 0, 0, len(name), len(name), 1) + name, 0o755)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (with_train(), "train is not on PATH"),
        (with_train(script("usr/bin/train", mode=0o644)), "may not be run (its mode is 0644)"),
        (with_train(LayerFile("usr/bin/train", b"import os\n", 0o755)), "neither a program nor begins with #!"),
        (with_train(LayerFile("usr/bin/train", b"", 0o755)), "is empty"),
        (
            with_train(script("usr/bin/train", "#!/usr/bin/python3")),
            "wants /usr/bin/python3, which is not in the image",
        ),
        (with_train(script("usr/bin/train", "#!/usr/bin/env python")), "wants python, which is not on PATH"),
        (with_train(script("usr/bin/train", "#!")), "names no interpreter"),
        (with_train(script("usr/bin/train", "#!/" + "x" * 300)), "is too long"),
        (with_train(elf("usr/bin/train", 183)), "is built for arm64, the image declares amd64"),
        (with_train(elf_with_loader("usr/bin/train", "/lib64/ld-linux.so.2")), "loader /lib64/ld-linux.so.2"),
        (
            with_train(LayerFile("usr/bin/train", link="/nowhere")),
            "/usr/bin/train is a link to /nowhere, which is not in the image",
        ),
        (
            with_train(LayerFile("usr/bin/train", link="../lib/train.py"), LayerFile("srv/train.py")),
            "/usr/bin/train is a link to /usr/lib/train.py, which is not in the image (/srv/train.py is)",
        ),
        (
            with_train(
                LayerFile("app", link="usr/bin"),
                LayerFile("usr/bin/"),
                LayerFile("usr/bin/train", link="/nowhere"),
                Env=["PATH=/app"],
            ),
            "/usr/bin/train is a link to /nowhere",
        ),
        (with_train(LayerFile("usr/bin/train", link="/usr/bin/train")), "/usr/bin/train is a link to itself"),
        (
            with_train(script("usr/bin/train", "#!/usr/bin/python3"), LayerFile("usr/bin/python3", link="python3.12")),
            "wants /usr/bin/python3, which is a link to python3.12, and that is not in the image",
        ),
        (with_train(script("usr/bin/train", "\ufeff#!/bin/sh")), "byte order mark (EF BB BF, UTF-8)"),
        (
            with_train(LayerFile("usr/bin/train", "\ufeff#!/bin/sh\n".encode("utf-16-le"), 0o755)),
            "byte order mark (FF FE, UTF-16)",
        ),
        (with_train(Entrypoint=["/usr/bin/gone"]), "the ENTRYPOINT cannot be started: /usr/bin/gone does not exist"),
        (with_train(RUNS, Entrypoint=["entry"]), "runs its argument, and train is not on PATH"),
    ],
)
def test_a_train_that_cannot_be_started_gets_the_reason(image: ImageSource, words: str) -> None:
    found = look("train-program", image, "train")
    assert found.status == "fail"
    assert words in found.seen
    assert found.remedy


def test_the_dockerfiles_line_is_named() -> None:
    image = with_train(script("usr/bin/train", mode=0o644))
    found = look("train-program", image, "train", words="FROM x\nRUN true \\\n  && false\nCOPY train /usr/bin/train\n")
    assert found.line == 4


def test_serve_is_looked_for_like_train() -> None:
    assert look("serve-program", holding(), "serve").status == "pass"
    assert look("serve-program", with_train(), "serve").status == "fail"


def test_a_processing_image_starts_by_itself() -> None:
    assert look("processing-program", holding(Cmd=["/bin/sh"]), "processing").status == "pass"
    assert look("processing-program", holding(Entrypoint=["python9"]), "processing").status == "fail"
    assert look("processing-program", holding(Cmd=[]), "processing").status == "warn"


def test_an_entrypoint_in_shell_form_swallows_its_argument() -> None:
    found = look(
        "image-entrypoint-exec-form",
        holding(Entrypoint=["/bin/sh", "-c", "python app.py"]),
        words="FROM x\nENTRYPOINT python app.py",
    )
    assert (found.status, found.line) == ("fail", 2)
    assert look("image-entrypoint-exec-form", holding(Entrypoint=["python", "app.py"])).status == "pass"
    assert look("image-entrypoint-exec-form", holding()).status == "pass"


@pytest.mark.parametrize(
    ("entrypoint", "status"),
    [(["/usr/bin/tini", "--"], "fail"), (["dumb-init"], "warn"), (["python"], "pass"), ([], "pass")],
)
def test_tini_is_no_entrypoint(entrypoint: list[str], status: str) -> None:
    assert look("image-entrypoint-tini", holding(Entrypoint=entrypoint)).status == status


def test_a_first_line_that_ends_as_on_windows_is_one_fault_and_not_two() -> None:
    image = with_train(script("usr/bin/train", "#!/bin/sh\r"))
    assert look("image-shebang-crlf", image, "train").status == "fail"
    assert look("train-program", image, "train").status == "skipped"
    assert look("image-shebang-crlf", ImageSource((layer(*GOOD),))).status == "pass"


def test_any_program_that_ends_lines_so_is_found() -> None:
    found = look("image-shebang-crlf", holding(script("opt/run.sh", "#!/bin/bash\r")))
    assert (found.status, "/opt/run.sh" in found.seen) == ("fail", True)


SHELL_START = ["/bin/sh", "-c", "exec python /srv/app.py --port 8080"]


def test_an_entrypoint_in_shell_form_that_starts_a_program_does_what_the_image_is_for() -> None:
    image = with_train(elf("usr/bin/python"), Entrypoint=SHELL_START)
    found = look("serve-program", image, "serve")
    assert (found.status, found.seen) == (
        "pass",
        "the ENTRYPOINT, in shell form, starts /usr/bin/python, which is not given `serve`",
    )
    assert look("image-entrypoint-exec-form", image, "serve").status == "warn"
    # Of two things that an image is for, it can be asked for one only.
    assert look("image-entrypoint-exec-form", image, "serve", "train").status == "fail"


def test_an_entrypoint_in_shell_form_names_a_program_that_there_is() -> None:
    found = look("serve-program", with_train(Entrypoint=SHELL_START), "serve")
    assert (found.status, "python is not on PATH" in found.seen) == ("fail", True)


@pytest.mark.parametrize("command", ["cd /srv && python app.py", "$PROGRAM", "export A=1; run", "it's not closed"])
def test_what_takes_a_shell_to_understand_is_not_guessed(command: str) -> None:
    found = look("serve-program", with_train(Entrypoint=["/bin/sh", "-c", command]), "serve")
    assert "serve is not on PATH" in found.seen


def test_single_quotes_are_one_fault_and_not_three() -> None:
    image = with_train(elf("usr/bin/python"), Entrypoint=["/bin/sh", "-c", "['python', '/srv/app.py']"])
    found = look("image-entrypoint-exec-form", image, "serve", words="FROM x\nENTRYPOINT ['python', '/srv/app.py']")
    assert (found.status, found.seen, found.line) == ("fail", "ENTRYPOINT ['python', '/srv/app.py']", 2)
    assert "double quotes" in found.remedy
    assert look("serve-program", image, "serve").seen == "see image-entrypoint-exec-form"
    assert look("train-program", image, "train").seen == "see image-entrypoint-exec-form"
    assert "double quotes" in look("processing-program", image, "processing").remedy
    command = with_train(Cmd=["/bin/sh", "-c", "['python', '/srv/app.py']"])
    assert look("processing-program", command, "processing").seen == "CMD ['python', '/srv/app.py']"
