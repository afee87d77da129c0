"""Metrics of a job's hosts: processor, memory, GPUs and disk, by host."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from samebox.containers.engine import Capacity

if TYPE_CHECKING:
    from pathlib import Path

    from samebox.containers.fake_process import Process
    from tests.jobs.harness import Harness


def test_each_host_has_its_own_in_percent(harness: "Harness") -> None:
    def train(process: "Process") -> int:
        process.hold((1 << 30) // 4 * (1 + (process.spec.aliases[0] == "algo-2")))
        process.compute(1e6)
        process.wait_for_stop()
        return 0

    harness.settings = replace(harness.settings, host_metrics_seconds=0.01)
    harness.engine.add_image("digits:1", {"train": train})
    harness.start()
    job = harness.create_training_job(
        ResourceConfig={"InstanceType": "ml.t3.micro", "InstanceCount": 2, "VolumeSizeInGB": 1}
    )

    def found() -> dict[tuple[str, str], float]:
        return {(series.name, series.dimensions[0][1]): value for series, _, value in list(harness.metrics)}

    wanted = {
        (name, f"digits/{host}")
        for name in ("CPUUtilization", "MemoryUtilization", "DiskUtilization")
        for host in ("algo-1", "algo-2")
    }
    # A share of a processor needs two moments.
    harness.poll_until(lambda: found().keys() >= wanted)
    harness.poll_until(lambda: found()["MemoryUtilization", "digits/algo-2"] == 50.0)
    harness.stop_job(job)
    harness.wait_until_ended(job)
    assert found()["MemoryUtilization", "digits/algo-1"] == 25.0
    assert 0.0 < found()["DiskUtilization", "digits/algo-1"] <= 100.0
    cpu = [value for series, _, value in harness.metrics if series.name == "CPUUtilization"]
    assert max(cpu) > 100.0
    assert {(series.namespace, series.dimensions[0][0], series.unit) for series, _, _ in harness.metrics} == {
        ("/aws/sagemaker/TrainingJobs", "Host", "Percent")
    }


def test_gpus_of_a_host_are_those_that_it_was_given_all_together(
    harness: "Harness", tmp_path: "Path", monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\nprintf '0, 50, 1024, 4096\\n1, 90, 4096, 4096\\n2, [N/A], 1024, 4096\\n'\n")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    harness.settings = replace(harness.settings, host_metrics_seconds=0.01)
    harness.engine.set_capacity(Capacity(cpus=64, memory_bytes=1 << 40, gpus=3))
    harness.engine.add_image("digits:1", {"train": lambda process: process.wait_for_stop()})
    harness.start()
    jobs = []
    for name, count in (("two", 2), ("one", 1)):
        resources = {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": count, "VolumeSizeInGB": 1}
        jobs.append(harness.create_training_job(name, ResourceConfig=resources))
        harness.wait_for_status(jobs[-1], "Training")  # the first has the first GPUs

    def found() -> dict[tuple[str, str], float]:
        return {
            (series.dimensions[0][1], series.name): value
            for series, _, value in list(harness.metrics)
            if series.name.startswith("GPU")
        }

    expected = {
        ("two/algo-1", "GPUUtilization"): 50.0,
        ("two/algo-1", "GPUMemoryUtilization"): 25.0,
        ("two/algo-2", "GPUUtilization"): 90.0,
        ("two/algo-2", "GPUMemoryUtilization"): 100.0,
        ("one/algo-1", "GPUMemoryUtilization"): 25.0,
    }
    harness.poll_until(lambda: found() == expected)
    harness.crash()
    harness.metrics.clear()
    harness.start()
    harness.poll_until(lambda: found() == expected)
    for job in jobs:
        harness.stop_job(job)
        harness.wait_until_ended(job)


def test_none_are_published_where_the_setting_asks_for_none(harness: "Harness") -> None:
    harness.settings = replace(harness.settings, host_metrics_seconds=0.0)
    harness.engine.add_image("digits:1", {"train": lambda process: 0})
    harness.start()
    harness.wait_until_ended(harness.create_training_job())
    assert harness.metrics == []
    assert "engine.usage" not in harness.process.calls
