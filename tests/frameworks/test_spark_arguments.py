"""What smspark-submit makes of its arguments, of a user's configuration, and of a container's limits."""

from pathlib import Path

import pytest

from samebox_spark import arguments, resources
from samebox_spark.arguments import Submission, UsageError


def test_the_application_keeps_its_own_options() -> None:
    given = arguments.read(["--class", "a.Main", "-v", "/code/app.py", "--class", "b", "in"])
    assert given == Submission(("/code/app.py", "--class", "b", "in"), ("--verbose", "--class", "a.Main"))


def test_a_folder_stands_for_its_files(tmp_path: Path) -> None:
    for name in ("b.jar", "a.jar"):
        (tmp_path / name).touch()
    (tmp_path / "inner").mkdir()
    given = arguments.read(["--jars", f"{tmp_path},s3://bucket/c.jar", "/code/app.py"])
    assert given.options == ("--jars", f"{tmp_path}/a.jar,{tmp_path}/b.jar,s3://bucket/c.jar")


@pytest.mark.parametrize("given", [[], ["--files", "relative.txt", "app.py"], ["--jars", "/never/there", "app.py"]])
def test_what_is_not_there_is_refused(given: list[str]) -> None:
    with pytest.raises(UsageError):
        arguments.read(given)


def test_event_logs_have_a_folder_or_an_address() -> None:
    given = arguments.read(["--local-spark-event-logs-dir", "/logs", "--spark-event-logs-s3-uri", "s3://b/p", "app.py"])
    assert (given.event_logs, given.event_logs_s3) == ("/logs", "s3://b/p")


def test_configurations_of_emr_become_settings_and_variables() -> None:
    given = [
        {"Classification": "spark-defaults", "Properties": {"spark.executor.memory": "2g"}},
        {"Classification": "spark-env", "Configurations": [{"Classification": "export", "Properties": {"A": "1"}}]},
        {"Classification": "hive-site", "Properties": {"x": "y"}},
    ]
    assert resources.of_user(given) == ({"spark.executor.memory": "2g"}, {"A": "1"}, ["hive-site"])
    assert resources.of_user(given[0]) == ({"spark.executor.memory": "2g"}, {}, [])


def test_memory_and_cores_are_the_containers(tmp_path: Path) -> None:
    (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
    (tmp_path / "sys/fs/cgroup/memory.max").write_text(str(1024**3))
    (tmp_path / "sys/fs/cgroup/cpu.max").write_text("50000 100000")
    found = resources.of_this_host(tmp_path)
    assert (found.cores, found.megabytes, found.driver_megabytes) == (1, 1024, 512)


def test_the_memory_of_executors_and_the_driver_fits() -> None:
    host = resources.HostResources(cores=4, megabytes=16384)
    assert host.driver_megabytes == 2048
    assert (host.driver_megabytes + host.executor_megabytes) * 1.1 <= 16384
    assert resources.defaults(host, 2)["spark.default.parallelism"] == "16"
