"""CUDA's libraries are in the image, its driver is not, and the finding names the driver that they require."""

from __future__ import annotations

import pytest

from tests.check.images import LayerFile
from tests.check.static.looking import holding, look

CUDA_11_8 = LayerFile("usr/local/cuda-11.8/lib64/libcudart.so.11.8.89", b"x")
SONAME = LayerFile("usr/local/cuda-11.8/lib64/libcudart.so.11.0", link="libcudart.so.11.8.89")
WHEEL_12 = LayerFile("usr/lib/python3/dist-packages/nvidia_cuda_runtime_cu12-12.1.105.dist-info/METADATA", b"Name: x")


def test_a_driver_in_the_image_is_found() -> None:
    for path in ("usr/lib/x86_64-linux-gnu/libcuda.so.535.54", "usr/bin/nvidia-smi"):
        assert look("image-cuda-driver", holding(LayerFile(path, b"x"))).status == "fail"


def test_the_compat_package_stubs_and_places_to_mount_are_no_driver() -> None:
    image = holding(
        LayerFile("usr/local/cuda-11.8/compat/libcuda.so.520.61", b"x"),
        LayerFile("usr/local/cuda/lib64/stubs/libcuda.so.1", b"x"),
        LayerFile("usr/bin/nvidia-smi", b""),
    )
    assert look("image-cuda-driver", image).status == "pass"


@pytest.mark.parametrize(
    ("entries", "stated", "status"),
    [
        ([], "", "pass"),
        ([CUDA_11_8, SONAME], "cuda>=11.8 brand=tesla,driver>=450", "pass"),
        ([CUDA_11_8], "", "warn"),
        ([CUDA_11_8, WHEEL_12], "cuda>=11.8", "warn"),
        ([], "cuda>=11.8", "warn"),
        ([LayerFile("usr/local/cuda/version.json", b'{"cuda": {"version": "11.6.2"}}')], "cuda>=11.6", "pass"),
        ([LayerFile("usr/local/cuda/version.json", b"{")], "", "pass"),
    ],
)
def test_the_requirements_of_the_libraries_are_reported(entries: list[LayerFile], stated: str, status: str) -> None:
    image = holding(*entries, Env=[f"NVIDIA_REQUIRE_CUDA={stated}"] if stated else [])
    assert look("image-cuda-requirement", image).status == status
