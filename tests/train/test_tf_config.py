"""TF_CONFIG of each host, in the forms of AWS's TensorFlow images."""

from __future__ import annotations

import pytest

from samebox_train import tf_config

HOSTS = ["algo-1", "algo-2", "algo-3"]


def test_every_host_of_a_mirrored_strategy_is_a_worker() -> None:
    assert tf_config.mirrored(HOSTS, "algo-2") == {
        "cluster": {"worker": ["algo-1:8890", "algo-2:8890", "algo-3:8890"]},
        "environment": "cloud",
        "task": {"index": 1, "type": "worker"},
    }


@pytest.mark.parametrize(("host", "kind", "index"), [("algo-1", "master", 0), ("algo-2", "worker", 0)])
def test_with_parameter_servers_the_first_host_is_the_master(host: str, kind: str, index: int) -> None:
    assert tf_config.with_servers(HOSTS, host) == {
        "cluster": {
            "master": ["algo-1:2222"],
            "worker": ["algo-2:2222", "algo-3:2222"],
            "ps": ["algo-1:2223", "algo-2:2223", "algo-3:2223"],
        },
        "environment": "cloud",
        "task": {"index": index, "type": kind},
    }
