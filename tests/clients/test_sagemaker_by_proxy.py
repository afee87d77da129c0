"""Clients of SageMaker that name AWS's addresses themselves go from data to predictions through the forward proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.scenarios.emulator_process import ACCOUNT, ROLE

if TYPE_CHECKING:
    from tests.clients.environments import ClientShell

pytestmark = [pytest.mark.clients, pytest.mark.docker]


@pytest.fixture
def ecr_image(image: str) -> str:
    """The image's name on AWS."""
    return f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/{image.partition('/')[2]}"


def test_boto3_of_december_2022(sagemaker_proxy_shell: ClientShell, ecr_image: str) -> None:
    sagemaker_proxy_shell.run("december2022", "boto3_sagemaker.py", ecr_image, ROLE)


def test_the_sdk_in_version_2(sagemaker_proxy_shell: ClientShell, ecr_image: str) -> None:
    sagemaker_proxy_shell.run("newest", "sagemaker2_estimator.py", ecr_image)


def test_training_options_of_the_sdk_in_version_2(sagemaker_proxy_shell: ClientShell, ecr_image: str) -> None:
    sagemaker_proxy_shell.run("newest", "sagemaker2_training_options.py", ecr_image)


def test_the_sdk_in_version_3(sagemaker_proxy_shell: ClientShell, ecr_image: str) -> None:
    sagemaker_proxy_shell.run("sagemaker3", "sagemaker3_trainer.py", ecr_image, ROLE)
