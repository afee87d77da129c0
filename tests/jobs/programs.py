"""Programs of training containers that several tests run on the fake engine."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process


def train(process: "Process") -> int:
    process.print("begin", "accuracy=0.5;", "accuracy=0.97;")
    (process.path("/opt/ml/model") / "weights").write_bytes(b"w" * 1000)
    return 0


def until_stopped(process: "Process") -> int:
    process.print("begin")
    process.wait_for_stop()
    (process.path("/opt/ml/model") / "half").write_text("half")
    process.print("stopped")
    return 3
