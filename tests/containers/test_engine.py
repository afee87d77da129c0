"""The contract of every engine: the fake and Docker pass the same tests."""

from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
import json
import tarfile
import threading
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

import pytest

from samebox.containers.engine import (
    ContainerMissing,
    ContainerSpec,
    ContainerState,
    EngineError,
    ImageMissing,
    LogLine,
    Mount,
    NameTaken,
    PathMissing,
    StartFailed,
    VolumeMount,
)
from samebox.containers.fake_process import FakeResponse, Process
from samebox.platform.readiness import Readiness

if TYPE_CHECKING:
    from pathlib import Path

    from tests.containers.conftest import World

SLEEP = "trap 'exit 0' TERM; while :; do sleep 0.02; done"
IGNORE = "trap '' TERM; echo deaf; while :; do sleep 0.02; done"


def sleep(process: Process) -> None:
    process.wait_for_stop()


def ignore(process: Process) -> None:
    process.print("deaf")
    process.wait_until_killed()


def nothing(_: Process) -> None:
    pass


def say_and_fail(process: Process) -> int:
    process.print("one", "two")
    return 3


# What there is


def test_an_engine_reports_the_capacity_of_its_host(world: World) -> None:
    assert world.engine.available() is None
    assert world.engine.capacity().cpus >= 1
    assert world.engine.capacity().memory_bytes > 1 << 28


def test_an_image_is_described_by_its_facts(world: World, entry_image: str) -> None:
    facts = world.engine.image(entry_image)
    assert facts is not None
    assert (facts.entrypoint, facts.command, facts.user) == (("echo", "entry"), ("cmd",), "nobody")
    assert facts.labels["kind"] == "entry"
    assert facts.environment["GREETING"] == "hello"
    assert facts.architecture in {"amd64", "arm64"}
    assert world.engine.image(facts.id) == facts
    assert world.engine.image("samebox-test/nothing:1") is None


def test_an_image_that_no_registry_gives_is_missing(world: World) -> None:
    with pytest.raises(ImageMissing) as caught:
        world.engine.pull("localhost:9/samebox-test/nothing:1")
    assert caught.value.reference == "localhost:9/samebox-test/nothing:1"


def test_an_image_is_exported_with_its_manifest_and_its_configuration(world: World, entry_image: str) -> None:
    with world.engine.export(entry_image) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
        files = {member.name: taken.read() for member in tar if (taken := tar.extractfile(member)) is not None}
    (manifest,) = json.loads(files["manifest.json"])
    config = json.loads(files[manifest["Config"]])
    assert config["config"]["Entrypoint"] == ["echo", "entry"]
    assert set(manifest["Layers"]) <= set(files)


def test_an_image_that_is_not_there_cannot_be_exported(world: World) -> None:
    with pytest.raises(ImageMissing):
        world.engine.export("samebox-test/nothing:1")


def test_an_image_has_as_many_names_as_it_is_given(world: World, own_image: str) -> None:
    facts = world.engine.image(own_image)
    assert facts is not None
    name = f"samebox-test/kept:{world.instance_id}"
    world.engine.tag(facts.id, name)
    assert name in world.engine.tags("samebox-test/kept")
    world.engine.untag(own_image)
    left = world.engine.image(facts.id)
    assert left is not None
    assert left.tags == (name,)
    world.engine.untag(name)
    world.engine.untag(name)
    assert name not in world.engine.tags("samebox-test/kept")
    assert world.engine.image(facts.id) is None


def test_only_containers_with_a_label_are_found_by_its_name(world: World) -> None:
    label = f"samebox.test.{world.instance_id}"
    marked = world.engine.create(world.spec("true", lambda _: 0, labels={**world.labels, label: "any"}))
    world.engine.create(world.spec("true", lambda _: 0))
    assert [one.id for one in world.engine.find({label: None})] == [marked]
    assert world.engine.find({label: "other"}) == []
    network = world.engine.create_network(f"net-{world.instance_id}", {**world.labels, label: ""})
    assert [one.id for one in world.engine.networks({label: None})] == [network.id]


def test_the_last_name_of_an_image_that_a_container_needs_stays(world: World, own_image: str) -> None:
    container = world.engine.create(ContainerSpec(image=own_image, labels=world.labels, command=("true",)))
    world.engine.untag(own_image)
    assert world.engine.image(own_image) is not None
    world.engine.remove(container)
    world.engine.untag(own_image)
    assert world.engine.image(own_image) is None


def test_a_name_for_an_image_that_is_not_there_is_refused(world: World) -> None:
    with pytest.raises(ImageMissing):
        world.engine.tag("samebox-test/nothing:1", "samebox-test/kept:1")


def test_an_id_cannot_be_pulled(world: World) -> None:
    with pytest.raises(ImageMissing):
        world.engine.pull(f"sha256:{'0' * 64}")


# The life of a container


def test_a_container_runs_to_its_end(world: World) -> None:
    container = world.run("echo one; echo two; exit 3", say_and_fail)
    state = world.engine.wait(container, 30)
    assert state is not None
    assert (state.status, state.exit_code, state.oom_killed, state.error) == ("exited", 3, False, "")
    assert state.started_at is not None
    assert state.finished_at is not None
    assert state.started_at <= state.finished_at
    assert (world.engine.started_at() or 0.0) <= state.started_at
    assert [line.text for line in world.engine.logs(container)] == ["one", "two"]


@pytest.mark.parametrize(
    ("command", "entrypoint", "said"),
    [
        (None, None, "entry cmd"),
        (("train",), None, "entry train"),
        (None, ("echo", "mine"), "mine"),
        (("a", "b"), ("echo", "mine"), "mine a b"),
    ],
)
def test_command_and_entrypoint_follow_the_contract(
    world: World,
    entry_image: str,
    command: tuple[str, ...] | None,
    entrypoint: tuple[str, ...] | None,
    said: str,
) -> None:
    spec = ContainerSpec(image=entry_image, command=command, entrypoint=entrypoint, labels=world.labels)
    container = world.engine.run(spec)
    world.engine.wait(container, 30)
    assert [line.text for line in world.engine.logs(container)] == [said]


def test_a_container_has_its_environment_host_name_and_name(world: World) -> None:
    def program(process: Process) -> None:
        process.print(process.environment["COLOUR"], process.environment["HOSTNAME"])

    name = f"{world.instance_id}-named"
    environment = {"COLOUR": "a=b c"}
    container = world.run_to_the_end(
        'echo "$COLOUR"; echo "$HOSTNAME"', program, environment=environment, hostname="ip-10-0-0-1.ec2", name=name
    )
    assert [line.text for line in world.engine.logs(name)] == ["a=b c", "ip-10-0-0-1.ec2"]
    assert world.engine.inspect(name).id == container
    assert world.engine.inspect(container).name == name


def test_a_missing_program_is_reported_with_the_message_of_the_runtime(world: World) -> None:
    spec = ContainerSpec(image=world.image, command=("train",), labels=world.labels)
    with pytest.raises(StartFailed, match=r'exec: "train": executable file not found in \$PATH'):
        world.engine.run(spec)
    assert world.engine.find(world.labels) == []


def test_a_container_that_could_not_be_started_has_exited(world: World) -> None:
    container = world.engine.create(ContainerSpec(image=world.image, command=("train",), labels=world.labels))
    assert world.engine.inspect(container).status == "created"
    with pytest.raises(StartFailed):
        world.engine.start(container)
    state = world.engine.inspect(container)
    assert (state.status, state.exit_code) == ("exited", 127)
    assert 'exec: "train"' in state.error
    assert not state.has_run
    assert world.engine.wait(container, 1) == state


def test_whether_a_container_ever_ran_is_known_and_when_it_was_made(world: World) -> None:
    container = world.engine.create(world.spec("", nothing))
    made = world.engine.inspect(container)
    assert not made.has_run
    assert made.created_at is not None
    world.engine.start(container)
    assert world.engine.wait(container, 30)
    ended = world.engine.inspect(container)
    assert ended.has_run
    assert ended.created_at == made.created_at


def test_a_start_may_be_asked_for_again_after_one_that_failed(world: World) -> None:
    container = world.engine.create(ContainerSpec(image=world.image, command=("train",), labels=world.labels))
    for _ in range(2):
        with pytest.raises(StartFailed, match=r'exec: "train": executable file not found in \$PATH'):
            world.engine.start(container)


def test_a_missing_image_a_taken_name_and_a_missing_folder_are_refused(world: World) -> None:
    with pytest.raises(ImageMissing):
        world.engine.create(ContainerSpec(image="samebox-test/nothing:1", labels=world.labels))
    name = f"{world.instance_id}-twice"
    world.engine.create(world.spec("", nothing, name=name))
    with pytest.raises(NameTaken):
        world.engine.create(world.spec("", nothing, name=name))
    gone = world.folder / "gone"
    with pytest.raises(StartFailed, match="gone"):
        world.run("", nothing, mounts=(Mount(gone, "/opt/ml/model"),))
    assert not gone.exists()


def test_a_container_that_is_gone_is_missing_everywhere_but_for_remove(world: World) -> None:
    engine = world.engine
    container = world.run_to_the_end("", nothing)
    engine.remove(container)
    engine.remove(container)
    for ask in (
        lambda: engine.inspect(container),
        lambda: engine.start(container),
        lambda: engine.wait(container, 1),
        lambda: engine.stop(container, 1),
        lambda: engine.kill(container),
        lambda: list(engine.logs(container)),
        lambda: engine.archive(container, "/tmp"),
        lambda: engine.address(container, 8080),
    ):
        with pytest.raises(ContainerMissing):
            ask()


def test_containers_are_found_by_all_of_their_labels(world: World) -> None:
    first = world.run("", nothing, labels={**world.labels, "samebox.arn": "arn:1"})
    second = world.engine.create(world.spec("", nothing, labels={**world.labels, "samebox.arn": "arn:2"}))
    found = world.engine.find(world.labels)
    assert {state.id for state in found} == {first, second}
    (only,) = world.engine.find({**world.labels, "samebox.arn": "arn:2"})
    assert (only.id, only.status, only.labels["samebox.arn"]) == (second, "created", "arn:2")


# How it ends


def test_waiting_ends_with_the_time_or_with_the_container(world: World) -> None:
    container = world.run(SLEEP, sleep)
    assert world.engine.wait(container, 0.05) is None
    states = []
    thread = threading.Thread(target=lambda: states.append(world.engine.wait(container, 60)))
    thread.start()
    world.engine.stop(container, 30)
    thread.join(30)
    assert states[0] is not None
    assert states[0].exit_code == 0


def test_what_runs_in_a_container_is_seen_until_it_ends(world: World) -> None:
    container = world.run(SLEEP, sleep)
    running = world.engine.processes(container)
    world.engine.stop(container, 30)

    assert running
    assert running[0].command
    assert all(one.cpu_seconds >= 0 for one in running)
    assert world.engine.processes(container) == ()


def test_the_memory_that_a_container_holds_is_seen_until_it_ends(world: World) -> None:
    size = 16 << 20

    def program(process: Process) -> int:
        process.hold(size + (1 << 20))
        process.print("held")
        process.wait_for_stop()
        return 0

    # A variable of the shell's: what busybox's own tools would read is in the page cache.
    shell = f"x=$(head -c {size} /dev/zero | tr '\\0' x); echo held; trap 'exit 0' TERM; while :; do sleep 0.02; done"
    container = world.run(shell, program)
    with contextlib.closing(world.engine.logs(container, follow=True)) as lines:
        assert next(lines).text == "held"
    usage = world.engine.usage(container)
    assert usage is not None
    assert usage.memory_bytes >= size
    assert usage.cpu_seconds >= 0.0
    assert size <= (world.engine.memory(container) or 0) < 64 * size
    world.engine.stop(container, 30)
    assert world.engine.memory(container) is None
    assert world.engine.usage(container) is None


def test_a_program_may_end_by_itself_when_it_is_stopped(world: World) -> None:
    def program(process: Process) -> int:
        process.print("ready")
        process.wait_for_stop()
        process.print("stopping")
        return 7

    shell = "trap 'echo stopping; exit 7' TERM; echo ready; while :; do sleep 0.02; done"
    container = world.run(shell, program)
    lines = world.engine.logs(container, follow=True)
    assert next(lines).text == "ready"
    world.engine.stop(container, 30)
    assert world.engine.inspect(container).exit_code == 7
    assert [line.text for line in lines] == ["stopping"]


@pytest.mark.parametrize("signal", [None, "SIGTERM"])
def test_a_program_that_will_not_stop_is_killed_after_the_grace(world: World, signal: str | None) -> None:
    container = world.run(IGNORE, ignore)
    lines = world.engine.logs(container, follow=True)
    assert next(lines).text == "deaf"
    world.engine.stop(container, 1, signal)
    state = world.engine.inspect(container)
    assert (state.status, state.exit_code) == ("exited", 137)
    lines.close()


def test_the_stop_signal_is_the_specs(world: World) -> None:
    def program(process: Process) -> int:
        process.print("ready")
        process.wait_for_stop()
        return 5

    shell = "trap 'exit 5' USR1; trap '' TERM; echo ready; while :; do sleep 0.02; done"
    container = world.run(shell, program, stop_signal="SIGUSR1")
    lines = world.engine.logs(container, follow=True)
    assert next(lines).text == "ready"
    world.engine.stop(container, 30)
    assert world.engine.inspect(container).exit_code == 5
    lines.close()


def test_stopping_and_killing_what_has_ended_changes_nothing(world: World) -> None:
    container = world.run_to_the_end("exit 4", lambda _: 4)
    world.engine.stop(container, 1)
    world.engine.stop(container, 1, "SIGINT")
    world.engine.kill(container)
    assert world.engine.inspect(container).exit_code == 4


def test_a_killed_container_has_exited_with_137(world: World) -> None:
    container = world.run(SLEEP, sleep)
    world.engine.kill(container)
    state = world.engine.wait(container, 30)
    assert state is not None
    assert (state.exit_code, state.oom_killed) == (137, False)


def test_a_container_over_its_memory_is_killed_and_reported_as_out_of_memory(world: World) -> None:
    container = world.run("tail /dev/zero", lambda process: process.run_out_of_memory(), memory_bytes=32 << 20)
    state = world.engine.wait(container, 60)
    assert state is not None
    assert (state.exit_code, state.oom_killed) == (137, True)


def test_a_running_container_can_be_removed(world: World) -> None:
    container = world.run(SLEEP, sleep)
    world.engine.remove(container)
    assert world.engine.find(world.labels) == []


# What it says


def test_lines_come_with_their_stream_and_without_a_last_newline_too(world: World) -> None:
    def program(process: Process) -> None:
        process.print("to out", "")
        process.print_error("to err")
        process.write("no newline")

    container = world.run_to_the_end("echo to out; echo; echo to err >&2; sleep 0.05; printf 'no newline'", program)
    lines = [(line.stream, line.text) for line in world.engine.logs(container)]
    # Two pipes have no order between them.
    assert [text for stream, text in lines if stream == "stdout"] == ["to out", "", "no newline"]
    assert [text for stream, text in lines if stream == "stderr"] == ["to err"]


def test_bytes_that_are_no_text_are_replaced(world: World) -> None:
    container = world.run_to_the_end(
        r"printf 'caf\303\251 \377 end\n'", lambda process: process.write("café ".encode() + b"\xff end\n")
    )
    assert [line.text for line in world.engine.logs(container)] == ["café \ufffd end"]


def test_a_long_line_is_one_line(world: World) -> None:
    container = world.run_to_the_end(
        "head -c 100000 /dev/zero | tr '\\0' x; echo; echo next", lambda process: process.print("x" * 100_000, "next")
    )
    lines = list(world.engine.logs(container))
    assert [len(line.text) for line in lines] == [100_000, 4]
    assert [line.text for line in world.engine.logs(container, since=lines[0].time)] == ["next"]


def test_reading_goes_on_after_any_line_without_losing_or_doubling_one(world: World) -> None:
    def program(process: Process) -> None:
        for number in range(200):
            process.print(f"line {number}")

    shell = (
        "i=0; while [ $i -lt 200 ]; do echo line $i; [ $((i % 3)) = 0 ] && echo also $i >&2; i=$((i+1)); done; exit 0"
    )
    container = world.run_to_the_end(shell, program)
    lines = list(world.engine.logs(container))
    assert [line.text for line in lines if line.stream == "stdout"] == [f"line {number}" for number in range(200)]
    assert all(one.time < other.time for one, other in itertools.pairwise(lines))
    for cut in (0, 1, 57, len(lines) - 2, len(lines) - 1):
        assert list(world.engine.logs(container, since=lines[cut].time)) == lines[cut + 1 :]
        assert list(world.engine.logs(container, since=lines[cut].time, follow=True)) == lines[cut + 1 :]


def test_following_gives_lines_as_they_come_and_ends_with_the_container(shared_world: World) -> None:
    world = shared_world
    go = world.folder / "go"
    shell = "echo first; while [ ! -e /go/go ]; do sleep 0.02; done; echo second"
    container = world.run(shell, lambda process: poll(process, go), mounts=(Mount(world.folder, "/go"),))
    lines = world.engine.logs(container, follow=True)
    assert next(lines).text == "first"
    go.touch()
    assert [line.text for line in lines] == ["second"]
    assert world.engine.inspect(container).has_exited


def poll(process: Process, go: Path) -> None:
    process.print("first")
    while not go.exists():
        process.sleep(0.01)
    process.print("second")


def test_following_a_silent_container_can_be_given_up_from_another_thread(world: World) -> None:
    def program(process: Process) -> None:
        process.print("hello")
        process.wait_for_stop()

    container = world.run("echo hello; " + SLEEP, program)
    lines = world.engine.logs(container, follow=True)
    assert next(lines).text == "hello"
    rest: list[LogLine] = []
    reader = threading.Thread(target=lambda: rest.extend(lines))
    reader.start()
    lines.close()
    reader.join(30)
    assert not reader.is_alive()
    assert rest == []
    assert world.engine.inspect(container).running


# Its files


def test_a_mounted_folder_is_shared_both_ways(shared_world: World) -> None:
    world = shared_world
    (world.folder / "in").write_text("from the host")

    def program(process: Process) -> None:
        process.path("/data/out").write_text(process.path("/data/in").read_text() + " and back")

    mounts = (Mount(world.folder, "/data"),)
    world.run_to_the_end('echo -n "$(cat /data/in) and back" > /data/out', program, mounts=mounts)
    assert (world.folder / "out").read_text() == "from the host and back"


def test_files_are_read_back_from_a_container_that_has_ended(world: World) -> None:
    model = world.folder / "model"
    model.mkdir()

    def program(process: Process) -> None:
        process.path("/opt/ml/model/a").mkdir()
        process.path("/opt/ml/model/a/weights").write_bytes(b"\0" * 300_000)
        process.path("/opt/ml/model/link").symlink_to("a/weights")

    shell = "cd /opt/ml/model; mkdir a; head -c 300000 /dev/zero > a/weights; ln -s a/weights link"
    container = world.run_to_the_end(shell, program, mounts=(Mount(model, "/opt/ml/model"),))
    with world.engine.archive(container, "/opt/ml/model") as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
        entries = {entry.name: (entry.isdir(), entry.size, entry.linkname) for entry in tar}
    assert entries == {
        "model": (True, 0, ""),
        "model/a": (True, 0, ""),
        "model/a/weights": (False, 300_000, ""),
        "model/link": (False, 0, "a/weights"),
    }
    with pytest.raises(PathMissing):
        world.engine.archive(container, "/opt/ml/nothing")


def test_a_tar_is_put_into_a_container_before_it_starts(world: World) -> None:
    def program(process: Process) -> None:
        process.print(process.path("/opt/ml/code/train.py").read_text().strip())

    code = world.folder / "code"
    code.mkdir()
    mounts = (Mount(code, "/opt/ml/code"),)
    container = world.engine.create(world.spec("cat /opt/ml/code/train.py", program, mounts=mounts))
    spool = tar_of("train.py", b"pass")
    world.engine.put(container, "/opt/ml/code", spool)
    spool.seek(0)
    with pytest.raises(PathMissing):
        world.engine.put(container, "/opt/nowhere", spool)
    world.engine.start(container)
    world.engine.wait(container, 30)
    assert [line.text for line in world.engine.logs(container)] == ["pass"]


def test_a_folder_is_swept_away_and_what_its_links_point_to_is_not(world: World) -> None:
    (world.folder / "keep").write_text("mine")
    swept = world.folder / "jobs" / "1"
    (swept / "deep").mkdir(parents=True)
    (swept / "deep" / "link").symlink_to(world.folder)
    world.engine.sweep_path(swept)
    world.engine.sweep_path(swept)
    assert (world.folder / "keep").read_text() == "mine"
    assert list((world.folder / "jobs").iterdir()) == []


def test_what_is_mounted_is_there_as_it_was_when_the_container_was_made(world: World) -> None:
    folder = world.folder / "in"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "file").write_text("deep")
    single = world.folder / "single"
    single.write_text("single")

    def program(process: Process) -> None:
        process.print(process.path("/data/in/deep/file").read_text() + process.path("/etc/one/ca.pem").read_text())
        process.path("/data/out/new").write_text("written")

    out = world.folder / "out"
    out.mkdir()
    mounts = (Mount(folder, "/data/in", read_only=True), Mount(single, "/etc/one/ca.pem"), Mount(out, "/data/out"))
    shell = "cat /data/in/deep/file /etc/one/ca.pem; echo; echo -n written > /data/out/new; touch /data/in/x || exit 0"
    container = world.run_to_the_end(shell, program, mounts=mounts)
    assert world.engine.inspect(container).exit_code == 0
    first, *_ = (line.text for line in world.engine.logs(container) if line.stream == "stdout")
    assert first == "deepsingle"
    with world.engine.archive(container, "/data/out") as stream:
        assert contents(stream) == {"out/new": b"written"}
    world.engine.remove(container)
    assert world.engine.volumes(world.labels) == []


def test_a_container_changes_its_layer_and_never_the_folder_below_it(world: World) -> None:
    folder = world.folder / "below"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "file").write_text("deep")
    (folder / "gone").write_text("gone")

    def program(process: Process) -> None:
        process.path("/data/in/deep/file").write_text("other")
        process.path("/data/in/gone").unlink()
        process.path("/data/in/deep").rename(process.path("/data/in/moved"))
        process.print(process.path("/data/in/moved/file").read_text())

    shell = "cd /data/in && echo -n other > deep/file && rm gone && mv deep moved && cat moved/file"
    layers = [world.folder / name for name in ("one", "another, which no overlay can name")]
    for layer in layers:  # the second one finds nothing of the first
        mount = Mount(folder, "/data/in", layer=layer)
        container = world.run_to_the_end(shell, program, mounts=(mount,))
        assert world.engine.inspect(container).exit_code == 0
        assert [line.text for line in world.engine.logs(container) if line.stream == "stdout"] == ["other"]
        world.engine.remove(container)
    assert {path.name: path.read_text() for path in folder.rglob("*") if path.is_file()} == {
        "file": "deep",
        "gone": "gone",
    }
    assert world.engine.volumes(world.labels) == []
    for layer in layers:
        world.engine.sweep_path(layer)


def test_a_volume_keeps_what_is_put_into_it(world: World) -> None:
    def first(process: Process) -> None:
        process.path("/kept/first").write_text("1")

    def second(process: Process) -> None:
        process.path("/kept/second").write_text(process.path("/kept/first").read_text())

    volume = world.engine.create_volume(f"{world.instance_id}-kept", world.labels)
    assert world.engine.create_volume(volume.name, world.labels).name == volume.name
    volumes = (VolumeMount(volume, "/kept"),)
    world.engine.remove(world.run_to_the_end("printf 1 > /kept/first", first, volumes=volumes))
    container = world.run_to_the_end("cat /kept/first > /kept/second", second, volumes=volumes)
    assert [one.name for one in world.engine.volumes(world.labels)] == [volume.name]
    assert world.engine.volumes(world.labels, unused=True) == []
    with pytest.raises(EngineError, match="in use"):
        world.engine.remove_volume(volume.name)
    world.engine.remove(container)
    with world.engine.files(volume, world.image) as stream:
        assert {name.partition("/")[2]: text for name, text in contents(stream).items()} == {
            "first": b"1",
            "second": b"1",
        }
    with pytest.raises(ImageMissing):
        world.engine.files(volume, "samebox-test/nothing:1")
    assert [one.name for one in world.engine.volumes(world.labels, unused=True)] == [volume.name]
    world.engine.remove_volume(volume.name)
    world.engine.remove_volume(volume.name)
    assert world.engine.volumes(world.labels) == []


def contents(stream: BinaryIO) -> dict[str, bytes]:
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        return {member.name: file.read() for member in tar if (file := tar.extractfile(member)) is not None}


def tar_of(name: str, content: bytes) -> BinaryIO:
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    spool.seek(0)
    return spool


# Its ports and networks


def test_a_server_is_reached_at_its_address_and_found_ready(world: World) -> None:
    shell = "mkdir /tmp/www; echo pong > /tmp/www/ping; httpd -p 8080 -h /tmp/www; " + SLEEP
    container = world.run(shell, lambda process: process.serve(lambda _: FakeResponse(200, b"pong")), publish={8080: 0})
    assert Readiness(world.engine.address(container, 8080)).wait().is_ready
    with pytest.raises(EngineError, match="no way to port 9090"):
        world.engine.address(container, 9090)
    world.engine.stop(container, 30)
    with pytest.raises(EngineError, match="no way to port 8080"):
        world.engine.address(container, 8080)


def test_a_network_is_made_once_found_by_label_and_removed(world: World) -> None:
    name = f"{world.instance_id}-network"
    made = world.engine.create_network(name, world.labels)
    with pytest.raises(NameTaken):
        world.engine.create_network(name, world.labels)
    assert [network.name for network in world.engine.networks(world.labels)] == [name]
    world.run_to_the_end("", nothing, network=name, aliases=("algo-1",))
    world.remove_all()
    assert world.engine.networks(world.labels) == []
    world.engine.remove_network(made.id)


# Without a thread for each


def test_a_log_is_followed_by_a_task_from_any_line_to_the_containers_end(world: World) -> None:
    def program(process: Process) -> None:
        for number in range(50):
            process.print(f"line {number}")
        process.wait_for_stop()
        process.print("stopping")

    shell = (
        "trap 'echo stopping; exit 0' TERM; for i in $(seq 0 49); do echo line $i; done; while :; do sleep 0.02; done"
    )
    container = world.run(shell, program)

    async def follow(since: int | None) -> list[LogLine]:
        lines: list[LogLine] = []
        async with contextlib.aclosing(world.engine.follow(container, since)) as batches:
            async for batch in batches:
                lines += batch
                if lines[-1].text == "line 49":
                    await asyncio.to_thread(world.engine.stop, container, 30)
        return lines

    lines = asyncio.run(follow(None))
    assert [line.text for line in lines] == [*(f"line {number}" for number in range(50)), "stopping"]
    assert lines == list(world.engine.logs(container))
    assert asyncio.run(follow(lines[30].time)) == lines[31:]


def test_a_task_that_follows_a_silent_container_can_be_cancelled(world: World) -> None:
    container = world.run(SLEEP, sleep)

    async def follow() -> None:
        async for _ in world.engine.follow(container):
            pass

    async def break_off() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(follow(), 0.1)

    asyncio.run(break_off())
    assert world.engine.inspect(container).running


def end(code: int, _: Process) -> int:
    return code


def test_tasks_hear_of_the_ends_of_many_containers(world: World) -> None:
    containers = [world.run(f"sleep 0.1; exit {number}", partial(end, number)) for number in range(5)]

    async def wait() -> list[ContainerState]:
        return await asyncio.gather(*(world.engine.ended(one) for one in containers))

    threads = threading.active_count()
    states = asyncio.run(wait())
    assert [state.exit_code for state in states] == list(range(5))
    assert threading.active_count() <= threads
    assert [state.id for state in states] == containers


def test_a_task_is_refused_what_is_not_there(world: World) -> None:
    async def follow() -> None:
        async for _ in world.engine.follow("nothing-of-this-name"):
            pass

    with pytest.raises(ContainerMissing):
        asyncio.run(follow())
    with pytest.raises(ContainerMissing):
        asyncio.run(world.engine.ended("nothing-of-this-name"))
