"""TF_CONFIG: the cluster of a job's hosts as TensorFlow reads it, and the parameter server of a host.

The forms and the ports are those of AWS's TensorFlow images, so that a program which works there works here.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from samebox_train.signals import say

if TYPE_CHECKING:
    Config = dict[str, Any]

MIRRORED_PORT, PORT, SERVER_PORT = 8890, 2222, 2223
LOOK_EVERY_SECONDS = 1.0

# The device count keeps the server off the GPUs, which belong to the worker of the same host.
_SERVER = """
import json, sys, tensorflow as tf
cluster, index = json.loads(sys.argv[1]), int(sys.argv[2])
config = tf.compat.v1.ConfigProto(device_count={"GPU": 0})
tf.distribute.Server(tf.train.ClusterSpec(cluster), job_name="ps", task_index=index, config=config).join()
"""


def mirrored(hosts: list[str], current: str) -> Config:
    """MultiWorkerMirroredStrategy: every host is a worker, and the first is the chief."""
    task = {"index": hosts.index(current), "type": "worker"}
    return {"cluster": {"worker": _addresses(hosts, MIRRORED_PORT)}, "environment": "cloud", "task": task}


def with_servers(hosts: list[str], current: str) -> Config:
    """Parameter servers, one a host: the first host is the master, the others are workers."""
    first, *others = hosts
    task = {"index": 0, "type": "master"} if current == first else {"index": others.index(current), "type": "worker"}
    cluster = {
        "master": _addresses([first], PORT),
        "ps": _addresses(hosts, SERVER_PORT),
        "worker": _addresses(others, PORT),
    }
    return {"cluster": cluster, "environment": "cloud", "task": task}


def as_json(config: Config) -> str:
    return json.dumps(config)


class ParameterServer:
    """The server of this host, in a process of its own until it is closed."""

    def __init__(self, config: Config, hosts: list[str], current: str, folder: str) -> None:
        self._master = None if current == hosts[0] else hosts[0]
        arguments = [json.dumps(config["cluster"]), str(hosts.index(current))]
        self.process = subprocess.Popen([sys.executable, "-c", _SERVER, *arguments], cwd=folder)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()

    def wait_for_master(self) -> None:
        """The master still needs this host's server when the worker of this host has ended."""
        if self._master is None:
            return
        while _is_up(self._master):
            time.sleep(LOOK_EVERY_SECONDS)
        say(f"the master {self._master} has ended: ending the parameter server")


def _is_up(host: str) -> bool:
    try:
        with socket.create_connection((host, PORT), timeout=LOOK_EVERY_SECONDS * 5):
            return True
    except OSError:
        return False


def _addresses(hosts: list[str], port: int) -> list[str]:
    return [f"{host}:{port}" for host in hosts]
