"""Clients of SageMaker upload, fit, deploy, predict and delete, unmodified, with an image that none of them knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.scenarios.emulator_process import ROLE

if TYPE_CHECKING:
    from tests.clients.environments import ClientShell

pytestmark = [pytest.mark.clients, pytest.mark.docker]


def test_boto3(sagemaker_shell: ClientShell, image: str) -> None:
    sagemaker_shell.run("newest", "boto3_sagemaker.py", image, ROLE)


def test_the_aws_cli(sagemaker_shell: ClientShell, image: str) -> None:
    sagemaker_shell.run("newest", "aws_sagemaker.sh", "aws-cli", image, ROLE)


def test_sagemaker_experiments(sagemaker_shell: ClientShell) -> None:
    sagemaker_shell.run("newest", "sagemaker_experiments.py")


def test_javascript(sagemaker_shell: ClientShell, image: str) -> None:
    sagemaker_shell.run("javascript", "javascript_sagemaker.mjs", image, ROLE)
