"""The train image on two hosts: each launch that sagemaker-training knows, with nothing but what the image has."""

import re
from typing import Any

import pytest

from tests.scenarios.emulator_process import EmulatorProcess, docker, until

pytestmark = pytest.mark.docker

CODE = "/opt/ml/input/data/code"
RESOURCES = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}


@pytest.fixture(scope="module")
def image() -> str:
    """The train image as the engine has it, by its id: nothing is pushed."""
    found = docker("image", "inspect", "--format", "{{.Id}}", "samebox/train:cpu").strip()
    return f"samebox/train:cpu@{found}"


def start(emulator: EmulatorProcess, name: str, image: str, script: str | None = None, **parameters: str) -> None:
    """A job of the train image that runs `script`, or the image's sample, with these hyperparameters."""
    changes: dict[str, Any] = {"HyperParameters": parameters, "ResourceConfig": RESOURCES}
    if script is not None:
        emulator.s3.put_object(Bucket="samebox-test", Key=f"{name}/train.py", Body=script.encode())
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://samebox-test/{name}/"}
        changes["InputDataConfig"] = [{"ChannelName": "code", "DataSource": {"S3DataSource": source}}]
        parameters |= {"sagemaker_program": "train.py", "sagemaker_submit_directory": CODE}
    emulator.train(name, image, "", **changes)


def ended_well(emulator: EmulatorProcess, name: str) -> list[str]:
    job = emulator.ended(name, 900)
    lines = [line for host in ("algo-1", "algo-2") for line in emulator.log_lines(f"{name}/{host}-")]
    assert (job["TrainingJobStatus"], job.get("FailureReason")) == ("Completed", None), lines[-60:]
    return lines


def test_horovod_trains_the_digits_on_two_hosts_as_well_as_on_one(emulator: EmulatorProcess, image: str) -> None:
    start(emulator, "Horovod", image, epochs="8", sagemaker_mpi_enabled="true")
    lines = "\n".join(ended_well(emulator, "Horovod"))
    assert "training on 1437 digits, held out 360; processes 2" in lines
    assert "Process rank: 1" in lines
    accuracy = re.search(r"test_accuracy=([\d.]+) on 360 held-out digits", lines)
    assert accuracy is not None
    assert float(accuracy[1]) >= 0.96


MIRRORED = """
import json, os
import tensorflow as tf
own = json.loads(os.environ["TF_CONFIG"])["task"]["index"] + 1.0
strategy = tf.distribute.MultiWorkerMirroredStrategy()
def total():
    return tf.distribute.get_replica_context().all_reduce("SUM", tf.constant(own))
result = strategy.experimental_local_results(strategy.run(tf.function(total)))
print("replicas", strategy.num_replicas_in_sync, "total", float(result[0]), flush=True)
"""
# The worker ends after the master is through: its host's server is needed until then.
SERVERS = """
import json, os, socket, time
import tensorflow as tf
v1, task = tf.compat.v1, json.loads(os.environ["TF_CONFIG"])["task"]
if task["type"] == "master":
    v1.disable_eager_execution()
    with tf.device("/job:ps/task:1"):
        total = v1.get_variable("total", shape=(), initializer=v1.constant_initializer(4.0))
    with v1.Session("grpc://algo-2:2223", config=v1.ConfigProto(device_filters=["/job:ps"])) as session:
        session.run(total.initializer)
        print("at the server of algo-2:", session.run(total.assign_add(1.0)), flush=True)
    socket.create_server(("", 2222)).accept()
else:
    master = None
    while master is None:
        try:
            master = socket.create_connection(("algo-1", 2222), 5)
        except OSError:
            time.sleep(0.2)
"""


def test_tensorflow_finds_the_other_workers(emulator: EmulatorProcess, image: str) -> None:
    start(emulator, "Mirrored", image, MIRRORED, sagemaker_multi_worker_mirrored_strategy_enabled="true")
    assert ended_well(emulator, "Mirrored").count("replicas 2 total 3.0") == 2


def test_tensorflow_finds_the_parameter_server_of_each_host(emulator: EmulatorProcess, image: str) -> None:
    start(emulator, "Servers", image, SERVERS, sagemaker_parameter_server_enabled="true")
    assert "at the server of algo-2: 5.0" in ended_well(emulator, "Servers")


RANKS = """
import os, sys
rank = " ".join(os.environ[name] for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR"))
sys.stdout.write(f"rank {rank}\\n")  # in one piece: two ranks write to one stream
sys.stdout.flush()
"""


def test_ranks_have_the_variables_of_torchrun_and_a_killed_host_ends_the_job(
    emulator: EmulatorProcess, image: str
) -> None:
    count = {"sagemaker_torch_distributed_enabled": "true", "sagemaker_mpi_num_of_processes_per_host": "2"}
    start(emulator, "Ranks", image, f"{RANKS}\nimport threading\nthreading.Event().wait()", **count)

    def ranks() -> set[str]:
        try:
            events = emulator.logs.filter_log_events(
                logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix="Ranks/", filterPattern='"rank "'
            )["events"]
        except emulator.logs.exceptions.ResourceNotFoundException:
            return set()
        return {one["message"] for one in events}

    wanted = {f"rank {rank} {rank % 2} 4 algo-1" for rank in range(4)}
    until(lambda: wanted <= ranks(), 180, "four ranks have begun")
    (second,) = emulator.containers("name=samebox-Ranks-algo-2")
    docker("kill", second)
    assert emulator.ended("Ranks")["FailureReason"] == "AlgorithmError: algo-2, exit code: 137"


def test_a_launch_that_the_image_does_not_have_fails_the_job_by_its_name(emulator: EmulatorProcess, image: str) -> None:
    start(emulator, "Needs", image, "", sagemaker_pytorch_ddp_enabled="true")
    reason = emulator.ended("Needs")["FailureReason"]
    assert "sagemaker_pytorch_ddp_enabled needs PyTorch and the launcher smddprun" in reason
