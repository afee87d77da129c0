"""Which lines of a script leave a server in the background and so end the container; how long an end may take."""

from __future__ import annotations

import pytest

from samebox.check.serving import stopping
from samebox.check.serving.ends import in_background


@pytest.mark.parametrize(
    "line",
    [
        "gunicorn --daemon --bind unix:/tmp/g.sock app:app",
        "python3 /opt/program/app.py &",
        "nohup python3 app.py > /dev/null 2>&1 &",
        "nginx -c /opt/program/nginx.conf",
        "/usr/sbin/nginx",
        "service nginx start",
        "supervisord -c /etc/supervisord.conf",
    ],
)
def test_what_goes_to_the_background_is_shown(line: str) -> None:
    assert in_background(f"#!/bin/sh\ncd /opt/program\n{line}\necho started\n") == [line]


@pytest.mark.parametrize(
    "line",
    [
        "exec gunicorn --bind 0.0.0.0:8080 app:app",
        "nginx -g 'daemon off;'",
        "nginx -t",
        "supervisord -n -c /etc/supervisord.conf",
        "test -f /tmp/a && exec python3 app.py",
        "# nginx",
        "cat nginx.conf",
        "python3 app.py 2>&1",
    ],
)
def test_what_stays_is_not(line: str) -> None:
    assert in_background(f"#!/bin/sh\n{line}\n") == []


@pytest.mark.parametrize(("boot", "fast", "whole"), [(0.5, 10.0, 30.0), (9.0, 18.0, 30.0), (60.0, 30.0, 30.0)])
def test_a_server_that_starts_slowly_may_end_slowly(boot: float, fast: float, whole: float) -> None:
    assert (stopping.grace(boot, is_fast=True), stopping.grace(boot, is_fast=False)) == (fast, whole)
