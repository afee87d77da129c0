"""What a serving container and an endpoint cost: a connection of the engine's log, and no thread."""

import threading
from typing import TYPE_CHECKING

from samebox.containers.engine import Capacity
from tests.jobs.endpoint_samples import server, variant, wanted

if TYPE_CHECKING:
    from tests.jobs.harness import Harness

SERVERS = 200
ENDPOINTS = 100
MOST = 60


def test_two_hundred_serving_containers_cost_few_threads(harness: "Harness") -> None:
    harness.engine.set_capacity(Capacity(cpus=4, memory_bytes=1 << 40))
    harness.engine.add_image("serve:1", {"serve": server("one")})
    before = own_threads()
    harness.start()
    endpoint = harness.create_endpoint(wanted(variant(count=SERVERS)))
    harness.wait_for_status(endpoint, "InService")
    assert len([one for one in harness.engine.find({}) if one.running]) == SERVERS
    harness.poll_until(lambda: own_threads() - before < MOST)


def test_a_hundred_endpoints_cost_few_threads(harness: "Harness") -> None:
    harness.engine.set_capacity(Capacity(cpus=4, memory_bytes=1 << 40))
    harness.engine.add_image("serve:1", {"serve": server("one")})
    before = own_threads()
    harness.start()
    endpoints = [harness.create_endpoint(wanted(variant()), f"digits-{number}") for number in range(ENDPOINTS)]
    for endpoint in endpoints:
        harness.wait_for_status(endpoint, "InService")
    harness.poll_until(lambda: own_threads() - before < MOST)


def own_threads() -> int:
    """All but those that are the fake containers themselves, and the requests that they answer."""
    names = [thread.name for thread in threading.enumerate()]
    return len([name for name in names if not name.startswith("fake ") and "process_request_thread" not in name])
