"""One host of a Spark job: the first runs Spark's master and the application, each runs a worker.

As on AWS the first host waits for the others before it begins, and they end when it has ended. A job of one host has
no cluster.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samebox_spark import arguments, resources

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

RESOURCE_CONFIG = Path("/opt/ml/config/resourceconfig.json")
PORT, STATUS_PORT = 7077, 8080
START_SECONDS, LOOK_SECONDS = 300.0, 0.5
# A master that does not answer so often in a row is gone, and not only busy.
SILENT_TIMES, ANSWER_SECONDS = 4, 5.0


class ClusterNotStarted(Exception):
    """The cluster did not come up in time."""


def main(given: Sequence[str]) -> int:
    """The exit status of the host: of the application on the first, 0 on the others."""
    try:
        submission = arguments.read(given)
        found = json.loads(RESOURCE_CONFIG.read_text()) if RESOURCE_CONFIG.exists() else {"hosts": ["localhost"]}
        hosts: list[str] = sorted(found["hosts"])
        own = found.get("current_host", hosts[0])
        settings, variables, others = resources.of_user(resources.read_configuration())
        for classification in others:
            say(f"the configuration's {classification} has no effect: there is no YARN, HDFS or Hive")
        os.environ.update(variables)
        return _run(submission, hosts, own, settings)
    except (arguments.UsageError, ClusterNotStarted) as error:
        say(str(error))
        return 1


def _run(submission: arguments.Submission, hosts: list[str], own: str, settings: Mapping[str, str]) -> int:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    able = resources.of_this_host()
    say(f"host {own} of {', '.join(hosts)}: {able.cores} cores, {able.megabytes} MB")
    wanted = {**resources.defaults(able, len(hosts)), **_event_logs(submission), **settings}
    if len(hosts) == 1:
        status = _submit("local[*]", submission, wanted)
    elif own == hosts[0]:
        # The master goes first at the end: it is how the others see that it is over.
        with _worker(own, hosts[0], able), _daemon("master.Master", *_master(own)):
            _await(lambda: _workers(own) >= len(hosts), f"not all of {', '.join(hosts)} joined the cluster")
            status = _submit(f"spark://{own}:{PORT}", submission, {**wanted, "spark.driver.host": own})
    else:
        _await(lambda: _workers(hosts[0]) >= 0, f"Spark's master on {hosts[0]} did not start")
        with _worker(own, hosts[0], able):
            _await_end(hosts[0])
        return 0
    _upload_event_logs(submission)
    return status


def _submit(master: str, submission: arguments.Submission, settings: Mapping[str, str]) -> int:
    configured = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    command = ["spark-submit", "--master", master, *configured, *submission.options, *submission.application]
    say(" ".join(command))
    application = subprocess.Popen(command)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: application.send_signal(number))
    status = application.wait()
    say(f"spark-submit ended with exit code {status}")
    return status if status >= 0 else 128 - status


@contextlib.contextmanager
def _daemon(name: str, *given: str, **variables: str) -> Iterator[None]:
    command = ["spark-class", f"org.apache.spark.deploy.{name}", *given]
    daemon = subprocess.Popen(command, env={**os.environ, **variables})
    try:
        yield
    finally:
        daemon.terminate()
        daemon.wait()


def _master(own: str) -> tuple[str, ...]:
    return ("--host", own, "--port", str(PORT), "--webui-port", str(STATUS_PORT))


def _worker(own: str, master: str, able: resources.HostResources) -> contextlib.AbstractContextManager[None]:
    limits = ("--cores", str(able.cores), "--memory", f"{able.executor_megabytes}m")
    return _daemon("worker.Worker", "--host", own, *limits, f"spark://{master}:{PORT}")


def _workers(master: str) -> int:
    """How many workers the master has; -1 where it does not answer."""
    try:
        with urllib.request.urlopen(f"http://{master}:{STATUS_PORT}/json/", timeout=ANSWER_SECONDS) as answer:
            return int(json.load(answer)["aliveworkers"])
    except (OSError, urllib.error.URLError, ValueError, KeyError):
        return -1


def _await(is_so: Any, otherwise: str) -> None:
    until = time.monotonic() + START_SECONDS
    while not is_so():
        if time.monotonic() > until:
            raise ClusterNotStarted(f"{otherwise} within {START_SECONDS:.0f} s")
        time.sleep(LOOK_SECONDS)


def _await_end(master: str) -> None:
    silent = 0
    while silent < SILENT_TIMES:
        time.sleep(LOOK_SECONDS)
        silent = silent + 1 if _workers(master) < 0 else 0
    say(f"{master} has ended")


def _event_logs(submission: arguments.Submission) -> dict[str, str]:
    folder = _event_folder(submission)
    if folder is None:
        return {}
    folder.mkdir(parents=True, exist_ok=True)
    return {"spark.eventLog.enabled": "true", "spark.eventLog.dir": f"file://{folder}"}


def _event_folder(submission: arguments.Submission) -> Path | None:
    """Where Spark writes its event logs; None where nobody asked for them."""
    if not submission.event_logs and not submission.event_logs_s3:
        return None
    return Path(submission.event_logs or "/tmp/spark-events")


def _upload_event_logs(submission: arguments.Submission) -> None:
    folder = _event_folder(submission)
    if folder is None or not submission.event_logs_s3:
        return
    import boto3

    bucket, _, prefix = submission.event_logs_s3.partition("://")[2].partition("/")
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            boto3.client("s3").upload_file(str(path), bucket, f"{prefix.rstrip('/')}/{path.name}".lstrip("/"))


def say(sentence: str) -> None:
    print(f"smspark-submit: {sentence}", flush=True)
