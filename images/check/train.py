"""Checks the train image from inside: its programs run, MPI starts processes over ssh, nothing is left behind."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys

from image import check_image, require

ALLREDUCE = """
import horovod.tensorflow as h, tensorflow as t
h.init()
assert h.size() == 2, h.size()
assert h.allreduce(t.constant([1.0 + h.rank()]), op=h.Sum).numpy().tolist() == [3.0]
"""


def main(accelerator: str) -> None:
    check_image(accelerator, "train")
    require(importlib.metadata.version("sagemaker-training") == "4.9.0", "sagemaker-training is 4.9.0")
    run("mpirun adds numbers with Horovod", ["mpirun", "--oversubscribe", "-np", "2", sys.executable, "-c", ALLREDUCE])
    check_ssh()


def check_ssh() -> None:
    # Port 2222: a build may share the host's network.
    sshd = ["/usr/sbin/sshd", "-D", "-e", "-p", "2222", "-o", "ListenAddress=127.0.0.1"]
    server = subprocess.Popen(sshd, stderr=subprocess.DEVNULL)
    try:
        run("root logs in by key", ["ssh", "-p", "2222", "-o", "ConnectionAttempts=20", "127.0.0.1", "true"])
    finally:
        server.terminate()
        server.wait(timeout=10)


def run(sentence: str, command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode:
        print(done.stdout, done.stderr)
    require(done.returncode == 0, sentence)


main(sys.argv[1])
