"""A look at what one server of an endpoint did costs the same however many servers there are: in steps, not in time."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

import pytest

from samebox.jobs import endpoint_run
from samebox.jobs.endpoint_run import EndpointRun
from samebox.jobs.model_folders import ModelFolders
from samebox.jobs.plan import EmulatorInfo
from samebox.jobs.server import Server, ServerDependencies
from samebox.jobs.wake import Wake
from samebox.platform.background import Background
from samebox.resources.deployment import EndpointDeployment, ServedContainer, Variant, serving

if TYPE_CHECKING:
    from samebox.jobs.hosting import ServerPlan
    from tests.jobs.harness import Harness

PACKAGE = str(Path(endpoint_run.__file__).parents[1])
FEW, MANY = 4, 256


class ScriptedServer:
    """A server without a container, whose states a test sets."""

    def __init__(self, plan: "ServerPlan", changed: Callable[[], None], port: int) -> None:
        self.plan = plan
        self.state = "starting"
        self.reason = ""
        self.address = ("127.0.0.1", port)
        self.is_retired = False
        self._changed = changed

    def become(self, state: str, reason: str = "") -> None:
        self.state, self.reason = state, reason
        self._changed()

    def check(self) -> None:
        """No thread, so nothing unexpected in it."""

    def retire(self, drain: bool = False) -> None:
        self.is_retired = True

    def close(self) -> None:
        """No thread to end."""


class Scripted:
    """An endpoint of so many instances whose servers a test moves; a look is taken when the test says so."""

    def __init__(self, harness: "Harness", instances: int) -> None:
        self.harness = harness
        self.servers: list[ScriptedServer] = []
        wake = Wake()
        wake.hear("Creating")
        emulator = EmulatorInfo(harness.data_dir, "scripted", harness.settings, b"a secret")
        dependencies = ServerDependencies(
            engine=harness.engine,
            models=ModelFolders(harness.objects),
            logbook=harness.logbook,
            settings=harness.settings,
            login=lambda: None,
            report=lambda _: None,
            give_up_seconds=0.0,
            now=harness.resources.now,
            background=Background(),
        )
        container = ServedContainer("serve:1", "serve:1")
        variant = Variant("main", "model", "ml.m5.large", (container,), initial_instance_count=instances)
        self.row = harness.create_endpoint(EndpointDeployment("config", (variant,), 1.0), f"of-{instances}")
        self.run = EndpointRun(harness.resources, dependencies, emulator, self.row, wake, self.start_server)
        harness.store.subscribe(lambda row: wake.hear(row.status) if row.arn == self.row.arn else None)
        self.first_look = steps(self.run.converge)

    def start_server(
        self, plan: "ServerPlan", _: ServerDependencies, changed: Callable[[], None], *rest: Any
    ) -> Server:
        self.servers.append(ScriptedServer(plan, changed, 8000 + len(self.servers)))
        return cast("Server", self.servers[-1])

    def status(self) -> str:
        return self.harness.reload(self.row).status

    def after(self, number: int, state: str, reason: str = "") -> int:
        """How many steps a look takes after one server became something."""
        self.servers[number].become(state, reason)
        return steps(self.run.converge)

    def all_ready(self) -> int:
        """How many steps the looks take until the endpoint is in service."""
        return sum(self.after(number, "ready") for number in range(len(self.servers)))


def steps(call: Callable[[], Any]) -> int:
    """How many instructions of ours a call executes."""
    count = 0

    def count_instruction(_: FrameType, event: str, __: Any) -> Any:
        nonlocal count
        count += event == "opcode"
        return count_instruction

    def enter(frame: FrameType, _: str, __: Any) -> Any:
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        frame.f_trace_opcodes = True
        return count_instruction

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


@pytest.fixture
def few(harness: "Harness") -> Scripted:
    return Scripted(harness, FEW)


@pytest.fixture
def many(harness: "Harness") -> Scripted:
    return Scripted(harness, MANY)


def test_a_server_that_is_ready_costs_the_same_among_few_and_many(few: Scripted, many: Scripted) -> None:
    assert (len(few.servers), len(many.servers)) == (FEW, MANY)
    assert [few.after(number, "ready") for number in (0, 1)] == [many.after(number, "ready") for number in (0, 1)]


def test_a_look_without_a_change_costs_the_same_among_few_and_many(few: Scripted, many: Scripted) -> None:
    assert steps(few.run.converge) == steps(many.run.converge)


def test_a_server_that_is_gone_costs_the_same_among_few_and_many(few: Scripted, many: Scripted) -> None:
    for one in (few, many):
        one.harness.resources.advance(one.harness.reload(one.row), "Deleting")
        one.run.converge()
    assert [few.after(number, "gone") for number in (0, 1)] == [many.after(number, "gone") for number in (0, 1)]


def test_an_endpoint_comes_into_service_in_steps_that_grow_with_its_servers(few: Scripted, many: Scripted) -> None:
    # One look at each of n servers at each of n wakes would be 4096 times as many steps, not 64.
    assert many.first_look + many.all_ready() < 2 * (MANY / FEW) * (few.first_look + few.all_ready())
    assert (few.status(), many.status()) == ("InService", "InService")
    (route,) = serving(many.harness.reload(many.row)).routes
    assert len(route.addresses) == MANY


def test_what_fails_in_service_is_replaced_and_the_rest_keeps_its_addresses(few: Scripted) -> None:
    few.all_ready()
    few.after(1, "failed", "it is out of memory")
    few.run.converge()
    assert [server.is_retired for server in few.servers] == [False, True, False, False, False]
    few.after(4, "ready")
    (route,) = serving(few.harness.reload(few.row)).routes
    assert set(route.addresses) == {("127.0.0.1", 8000 + number) for number in (0, 2, 3, 4)}


def test_the_slots_of_many_that_fail_at_once_are_filled_in_steps_that_grow_with_them(
    few: Scripted, many: Scripted
) -> None:
    def cost(one: Scripted, instances: int) -> float:
        one.all_ready()
        for server in one.servers[:instances]:
            server.become("failed", "the host was away")
        total = steps(one.run.converge) + steps(one.run.converge)
        assert len(one.servers) == 2 * instances
        return total / instances

    assert cost(many, MANY) < 2 * cost(few, FEW)
