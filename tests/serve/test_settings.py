"""Settings of the server from its environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from samebox_serve.settings import BadSetting, ServeSettings


def test_without_variables_everything_has_its_default() -> None:
    settings = ServeSettings.read({})

    assert settings.model_dir == Path("/opt/ml/model")
    assert settings.code_dir == Path("/opt/ml/model/code")
    assert (settings.port, settings.program, settings.timeout_seconds) == (8080, "inference.py", 60)
    assert (settings.workers, settings.threads, settings.max_payload_megabytes) == (None, None, 0)
    assert (settings.default_accept, settings.log_level) == ("", "INFO")


def test_an_empty_variable_is_no_variable() -> None:
    assert ServeSettings.read(
        {"SAGEMAKER_BIND_TO_PORT": "", "SAGEMAKER_MODEL_SERVER_WORKERS": " "}
    ) == ServeSettings.read({})


def test_the_timeout_in_seconds_wins() -> None:
    both = {"SAGEMAKER_MODEL_SERVER_TIMEOUT": "100", "SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS": "7"}

    assert ServeSettings.read(both).timeout_seconds == 7
    assert ServeSettings.read({"SAGEMAKER_MODEL_SERVER_TIMEOUT": "100"}).timeout_seconds == 100


def test_code_in_s3_is_left_for_the_platform_to_unpack() -> None:
    assert ServeSettings.read({"SAGEMAKER_SUBMIT_DIRECTORY": "s3://b/code.tar.gz"}).code_dir == Path(
        "/opt/ml/model/code"
    )
    assert ServeSettings.read({"SAGEMAKER_SUBMIT_DIRECTORY": "/srv/code"}).code_dir == Path("/srv/code")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SAGEMAKER_BIND_TO_PORT", "http"),
        ("SAGEMAKER_BIND_TO_PORT", "70000"),
        ("SAGEMAKER_MODEL_SERVER_WORKERS", "0"),
        ("SAGEMAKER_MODEL_SERVER_TIMEOUT", "-1"),
        ("SAGEMAKER_MAX_PAYLOAD_IN_MB", "6.5"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=name):
        ServeSettings.read({name: value})


@pytest.mark.parametrize(
    ("text", "level"), [("10", "DEBUG"), ("20", "INFO"), ("35", "WARNING"), ("error", "ERROR"), ("?", "INFO")]
)
def test_log_levels_are_numbers_or_names(text: str, level: str) -> None:
    assert ServeSettings.read({"SAGEMAKER_CONTAINER_LOG_LEVEL": text}).log_level == level
