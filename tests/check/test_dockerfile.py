"""A Dockerfile's instructions are found with their lines."""

from __future__ import annotations

from samebox.check import dockerfile

TEXT = """\
# syntax=docker/dockerfile:1
FROM debian:12 AS build
RUN apt-get update \\
    # a comment within
    && apt-get install -y gcc
ENTRYPOINT ["build"]

from debian:12
RUN <<END
pip install x
chmod 777 /opt
END
COPY train /usr/bin/train
ENTRYPOINT python app.py
"""


def test_continuations_comments_and_heredocs_are_one_instruction() -> None:
    read = dockerfile.parse(TEXT)
    assert [(one.word, one.line, one.stage) for one in read.instructions] == [
        ("FROM", 2, 0),
        ("RUN", 3, 0),
        ("ENTRYPOINT", 6, 0),
        ("FROM", 8, 1),
        ("RUN", 9, 1),
        ("COPY", 13, 1),
        ("ENTRYPOINT", 14, 1),
    ]
    assert read.instructions[1].text == "apt-get update && apt-get install -y gcc"


def test_the_last_of_its_kind_counts() -> None:
    read = dockerfile.parse(TEXT)
    assert read.line("ENTRYPOINT") == 14
    assert read.line("USER") is None


def test_an_instruction_is_found_by_what_it_names() -> None:
    found = dockerfile.parse(TEXT).mentioning("chmod 777", "nowhere")
    assert found is not None
    assert found.line == 9
    assert dockerfile.parse(TEXT).mentioning("nowhere") is None


def test_half_a_dockerfile_is_read_as_far_as_it_goes() -> None:
    assert dockerfile.parse("") == dockerfile.Dockerfile("Dockerfile", ())
    assert dockerfile.parse("RUN x \\").line("RUN") == 1
    assert dockerfile.parse("FROM x\nRUN <<END\nnever ends").line("RUN") == 2
