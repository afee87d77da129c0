"""Docker's JSON and our values, both ways, where no engine is needed to tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from samebox.containers.docker_json import (
    PullTally,
    create_body,
    facts_of,
    gpus_of,
    memory_held,
    nanoseconds,
    running_processes,
    state_of,
)
from samebox.containers.engine import ContainerSpec, Mount, PullProgress, RunningProcess

STATE: dict[str, Any] = {
    "Id": "abc",
    "Name": "/job",
    "State": {
        "Status": "running",
        "ExitCode": 0,
        "StartedAt": "2026-11-22T12:00:00.25Z",
        "FinishedAt": "0001-01-01T00:00:00Z",
    },
    "Config": {"Image": "train:1", "Labels": {"samebox": "x"}},
    "NetworkSettings": {"Ports": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "32768"}], "53/udp": None}},
}


@pytest.mark.parametrize(
    ("time", "seconds"), [("00:00:07", 7), ("01:02:03", 3723), ("2-00:00:01", 172_801), ("3:05", 185), ("1m5s", 65)]
)
def test_the_processes_of_a_container_are_those_of_ps(time: str, seconds: int) -> None:
    answer = {"Titles": ["PID", "TIME", "COMMAND"], "Processes": [["41", time, "python3 train"]]}
    assert running_processes(answer) == (RunningProcess(41, "python3 train", seconds),)


@pytest.mark.parametrize(
    "answer", [{}, {"Titles": None, "Processes": None}, {"Titles": ["USER", "COMMAND"], "Processes": [["root", "sh"]]}]
)
def test_what_another_ps_shows_is_nothing(answer: dict[str, Any]) -> None:
    assert running_processes(answer) == ()


@pytest.mark.parametrize(
    ("memory", "held"),
    [
        ({"usage": 900, "stats": {"total_active_anon": 100, "total_inactive_anon": 20, "total_cache": 700}}, 120),
        ({"usage": 900, "stats": {"anon": 100, "shmem": 5, "file": 700}}, 105),
        ({"usage": 900, "stats": None}, 900),
        ({}, None),
    ],
    ids=["version 1", "version 2", "Podman", "one that has ended"],
)
def test_the_memory_of_a_container_is_what_cannot_be_reclaimed(memory: dict[str, Any], held: int | None) -> None:
    assert memory_held({"memory_stats": memory}) == held


def test_a_running_container_has_ports_and_no_exit_code() -> None:
    state = state_of(STATE)
    assert (state.name, state.status, state.exit_code, state.ports) == ("job", "running", None, {8080: 32768})
    assert (state.started_at, state.finished_at) == (1_795_348_800.25, None)


@pytest.mark.parametrize(
    ("docker", "ours"),
    [
        ({"Status": "created", "ExitCode": 0}, ("created", None)),
        ({"Status": "created", "ExitCode": 127, "Error": "exec"}, ("exited", 127)),
        ({"Status": "paused", "ExitCode": 0}, ("running", None)),
        ({"Status": "dead", "ExitCode": 1}, ("exited", 1)),
        ({"Status": "removing", "ExitCode": 0}, ("exited", 0)),
    ],
)
def test_dockers_states_are_three_of_ours(docker: dict[str, Any], ours: tuple[str, int | None]) -> None:
    state = state_of({**STATE, "State": docker})
    assert (state.status, state.exit_code) == ours


def test_what_a_spec_leaves_out_is_left_to_docker() -> None:
    body = create_body(ContainerSpec(image="train:1"))
    assert not {"Cmd", "Entrypoint", "User", "Hostname", "WorkingDir", "StopSignal"} & body.keys()
    assert not {"Memory", "NanoCpus", "ShmSize", "PidsLimit", "DeviceRequests"} & body["HostConfig"].keys()


def test_limits_gpus_and_mounts_are_in_dockers_units() -> None:
    spec = ContainerSpec(
        image="train:1",
        memory_bytes=1 << 30,
        cpus=1.5,
        gpus=2,
        mounts=(Mount(Path("/data"), "/opt/ml/input", read_only=True),),
    )
    host = create_body(spec)["HostConfig"]
    assert (host["Memory"], host["MemorySwap"], host["NanoCpus"]) == (1 << 30, 1 << 30, 1_500_000_000)
    assert host["DeviceRequests"] == [{"Driver": "", "Count": 2, "Capabilities": [["gpu"]]}]
    assert host["Mounts"] == [{"Type": "bind", "Source": "/data", "Target": "/opt/ml/input", "ReadOnly": True}]


def test_ports_are_published_on_loopback_only_and_any_port_only_where_it_must_be() -> None:
    spec = ContainerSpec(image="serve:1", publish={8080: 0, 9090: 19090})
    published = create_body(spec)["HostConfig"]["PortBindings"]
    assert published["8080/tcp"] == [{"HostIp": "127.0.0.1", "HostPort": ""}]
    assert published["9090/tcp"] == [{"HostIp": "127.0.0.1", "HostPort": "19090"}]
    body = create_body(spec, chosen_ports=False)
    assert list(body["HostConfig"]["PortBindings"]) == ["9090/tcp"]
    assert list(body["ExposedPorts"]) == ["8080/tcp", "9090/tcp"]


def test_images_with_the_shell_form_and_without_a_command() -> None:
    assert facts_of({"Id": "i", "Config": {"Cmd": "serve"}}).command == ("serve",)
    assert facts_of({"Id": "i", "Config": None}).command is None


@pytest.mark.parametrize(
    ("info", "on_this_machine", "has_hook", "gpus"),
    [
        ({"Runtimes": {"runc": {}}}, 0, False, 0),
        ({"Runtimes": {"runc": {}}}, 4, False, 0),  # GPUs, and no toolkit to hand them to a container
        ({"Runtimes": {"nvidia": {}}}, 4, False, 4),
        ({"Runtimes": {"runc": {}}}, 4, True, 4),
        ({"Runtimes": {"nvidia": {}}}, 0, False, 0),
        ({"DiscoveredDevices": [{"ID": "nvidia.com/gpu=0"}, {"ID": "nvidia.com/gpu=all"}]}, 0, False, 1),
    ],
)
def test_gpus_are_counted_only_where_a_container_can_have_them(
    info: dict[str, Any], on_this_machine: int, has_hook: bool, gpus: int
) -> None:
    assert gpus_of(info, on_this_machine, has_hook) == gpus


def test_a_pull_is_summed_over_its_layers() -> None:
    tally = PullTally()
    tally.add({"id": "a", "status": "Downloading", "progressDetail": {"current": 10, "total": 100}})
    tally.add({"id": "b", "status": "Downloading", "progressDetail": {"current": 5, "total": 50}})
    assert tally.add({"id": "a", "status": "Download complete"}) == PullProgress(105, 150, "Download complete")
    assert tally.add({"status": "Digest: sha256:…"}).message == "Digest: sha256:…"


def test_nanoseconds_are_not_rounded() -> None:
    assert nanoseconds("2026-11-22T12:00:00.123456789Z") == 1_795_348_800_123_456_789
    with pytest.raises(ValueError, match="Not a timestamp"):
        nanoseconds("noon")
