"""ml.* instance types: the processors, memory and GPUs that each stands for, and what of it this host has.

Source: AWS's "Amazon EC2 instance types" tables (general purpose; compute, memory and storage optimized; accelerated
computing), which SageMaker's ml.* types follow size by size. Families that no table confirmed are marked inferred.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from samebox.containers.engine import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from samebox.containers.engine import Capacity

GIB = 1 << 30
_LEAST_MEMORY_BYTES = 128 << 20  # of an instance: less starts no program


class UnknownInstanceType(EngineError):
    """No such type, or one that AWS added after this table was written."""


class TooMany(EngineError):
    """So many instances would have too little of this host's memory each."""


class NoGpu(EngineError):
    """The instance type has GPUs (or other accelerators), and this host has none."""


@dataclass(frozen=True)
class InstanceType:
    name: str
    vcpus: int
    memory_gib: float
    accelerator: str = ""  # "NVIDIA A10G", "AWS Trainium": what makes it an accelerated type
    accelerators: int = 0
    accelerator_memory_gib: float = 0  # of each
    storage_gb: int = 0  # NVMe on the instance; 0: EBS, of VolumeSizeInGB
    inferred: bool = False

    @property
    def gpus(self) -> int:
        return self.accelerators if self.accelerator.startswith("NVIDIA") else 0


@dataclass(frozen=True)
class Limits:
    """What a container that stands for an instance gets on this host."""

    cpus: float
    memory_bytes: int
    gpus: int
    warning: str | None = None  # what the instance has and the host has not


def share(instance_type: str, count: int, capacity: Capacity) -> Capacity:
    """What is there for each of `count` instances, all of which run on this host: its part of the memory.

    Raises TooMany.
    """
    memory = capacity.memory_bytes // count
    if memory < _LEAST_MEMORY_BYTES:
        raise TooMany(f"{count} instances of {instance_type} do not fit on this machine.")
    return replace(capacity, memory_bytes=memory)


def limits_together(
    groups: Sequence[tuple[str, int]], capacity: Capacity, allow_gpu_on_cpu: bool = False
) -> tuple[Limits, ...]:
    """What a container of each group gets, where the instances of all groups (type, count) run on this host at once.

    Raises TooMany, UnknownInstanceType, NoGpu.
    """
    together = sum(count for _, count in groups)
    with_gpu = sum(count for one, count in groups if describe(one).gpus)
    found = []
    for instance_type, count in groups:
        own = share(instance_type, together, capacity)
        if describe(instance_type).gpus and capacity.gpus:
            gpus = capacity.gpus // with_gpu
            if not gpus and not allow_gpu_on_cpu:
                raise TooMany(
                    f"{count} instances of {instance_type} do not fit on this machine: it has {capacity.gpus} GPUs for "
                    f"{with_gpu} instances."
                )
            own = replace(own, gpus=gpus)
        found.append(limits(instance_type, own, allow_gpu_on_cpu))
    return tuple(found)


def limits(instance_type: str, capacity: Capacity, allow_gpu_on_cpu: bool = False) -> Limits:
    """As much as the instance has, or else all that the host has, with a warning.

    Raises UnknownInstanceType, and NoGpu for an accelerated type on a host without GPUs, unless `allow_gpu_on_cpu`.
    """
    wanted = describe(instance_type)
    if wanted.accelerators and not (wanted.gpus and capacity.gpus) and not allow_gpu_on_cpu:
        raise NoGpu(
            f"{instance_type} has {wanted.accelerators} x {wanted.accelerator}, and this host has no "
            f"{'GPU that containers can use' if wanted.gpus else 'such device'}. "
            "Choose an instance type without one, or let such types run on the CPU: "
            "SAMEBOX_ALLOW_GPU_ON_CPU=true samebox up"
        )
    given = Limits(
        cpus=float(min(wanted.vcpus, capacity.cpus)),
        memory_bytes=min(int(wanted.memory_gib * GIB), capacity.memory_bytes),
        gpus=min(wanted.gpus, capacity.gpus),
    )
    short = []
    if given.cpus < wanted.vcpus:
        short.append(f"{given.cpus:g} of {wanted.vcpus} vCPUs")
    if given.memory_bytes < int(wanted.memory_gib * GIB):
        short.append(f"{given.memory_bytes / GIB:.1f} of {wanted.memory_gib:g} GiB of memory")
    if given.gpus < wanted.accelerators:
        short.append(f"{given.gpus} of {wanted.accelerators} x {wanted.accelerator}")
    if short:
        given = replace(
            given, warning=f"This host has less than {instance_type}: the container gets {', '.join(short)}."
        )
    return given


def describe(instance_type: str) -> InstanceType:
    """Raises UnknownInstanceType."""
    prefix, _, rest = instance_type.partition(".")
    family, _, size = rest.partition(".")
    if prefix == "ml":
        if family in _REGULAR and (vcpus := _vcpus(size)):
            gib, storage = _REGULAR[family]
            nvme = storage.get(vcpus, 0)
            return InstanceType(instance_type, vcpus, vcpus * gib, storage_gb=nvme, inferred=family in _INFERRED)
        if size in _IRREGULAR.get(family, {}):
            cores, memory, accelerators, storage_gb = (*_IRREGULAR[family][size], 0, 0)[:4]
            name, gib = _ACCELERATORS.get(family, ("", 0))
            return InstanceType(
                instance_type,
                int(cores),
                memory,
                name,
                int(accelerators),
                gib,
                int(storage_gb),
                inferred=family in _INFERRED,
            )
    raise UnknownInstanceType(f"Unknown instance type: {instance_type}")


def _vcpus(size: str) -> int | None:
    """large has 2, xlarge 4, 12xlarge 48; medium 1, in the families that count regularly."""
    small = {"medium": 1, "large": 2, "xlarge": 4}.get(size)
    if small is None and size.endswith("xlarge") and size.removesuffix("xlarge").isdecimal():
        return 4 * int(size.removesuffix("xlarge"))
    return small


# vCPUs -> GB of NVMe, for the families that have it
_NONE: Mapping[int, int] = {}
_C5D = {vcpus: vcpus * 25 for vcpus in (2, 4, 8, 16, 36, 48, 72, 96)}
_M5D = {vcpus: vcpus * 75 // 2 for vcpus in (2, 4, 8, 16, 32, 48, 64, 96)}
_NITRO = {1: 59, 2: 118, 4: 237, 8: 474, 16: 950, 32: 1900, 48: 2850, 64: 3800, 96: 5700, 128: 7600}
_I3EN = {vcpus: vcpus * 625 for vcpus in (2, 4, 8, 12, 24, 48, 96)}

# family -> (GiB of memory for each vCPU, NVMe), where every size is a multiple of the smallest
_REGULAR: Mapping[str, tuple[float, Mapping[int, int]]] = {
    **dict.fromkeys(("c5", "c6a", "c6g", "c6gn", "c6i", "c6in", "c7g", "c7i", "c7i-flex"), (2, _NONE)),
    **dict.fromkeys(("c8a", "c8g", "c8i", "c8i-flex"), (2, _NONE)),
    **dict.fromkeys(("m4", "m5", "m6a", "m6g", "m6i", "m7g", "m7i", "m7i-flex"), (4, _NONE)),
    **dict.fromkeys(("m8a", "m8g", "m8i", "m8i-flex"), (4, _NONE)),
    **dict.fromkeys(("r5", "r6g", "r6i", "r7i", "r8g", "r8i", "r8i-flex"), (8, _NONE)),
    "c5d": (2, _C5D),
    "m5d": (4, _M5D),
    "r5d": (8, _M5D),
    **dict.fromkeys(("c6gd", "c6id"), (2, _NITRO)),
    **dict.fromkeys(("m6gd", "m6id"), (4, _NITRO)),
    **dict.fromkeys(("r6gd", "r6id", "r7gd"), (8, _NITRO)),
    "i3en": (8, _I3EN),
}

# family -> size -> (vCPUs, GiB of memory[, accelerators, GB of NVMe])
_IRREGULAR: Mapping[str, Mapping[str, tuple[float, ...]]] = {
    "t2": {"medium": (2, 4), "large": (2, 8), "xlarge": (4, 16), "2xlarge": (8, 32)},
    "t3": {
        "micro": (2, 1),
        "small": (2, 2),
        "medium": (2, 4),
        "large": (2, 8),
        "xlarge": (4, 16),
        "2xlarge": (8, 32),
    },
    "c4": {"large": (2, 3.75), "xlarge": (4, 7.5), "2xlarge": (8, 15), "4xlarge": (16, 30), "8xlarge": (36, 60)},
    "c5n": {
        "large": (2, 5.25),
        "xlarge": (4, 10.5),
        "2xlarge": (8, 21),
        "4xlarge": (16, 42),
        "9xlarge": (36, 96),
        "18xlarge": (72, 192),
    },
    "g4dn": {
        "xlarge": (4, 16, 1, 125),
        "2xlarge": (8, 32, 1, 225),
        "4xlarge": (16, 64, 1, 225),
        "8xlarge": (32, 128, 1, 900),
        "12xlarge": (48, 192, 4, 900),
        "16xlarge": (64, 256, 1, 900),
    },
    "g5": {
        "xlarge": (4, 16, 1, 250),
        "2xlarge": (8, 32, 1, 450),
        "4xlarge": (16, 64, 1, 600),
        "8xlarge": (32, 128, 1, 900),
        "12xlarge": (48, 192, 4, 3800),
        "16xlarge": (64, 256, 1, 1900),
        "24xlarge": (96, 384, 4, 3800),
        "48xlarge": (192, 768, 8, 7600),
    },
    "g6": {
        "xlarge": (4, 16, 1, 250),
        "2xlarge": (8, 32, 1, 450),
        "4xlarge": (16, 64, 1, 600),
        "8xlarge": (32, 128, 1, 900),
        "12xlarge": (48, 192, 4, 3760),
        "16xlarge": (64, 256, 1, 1880),
        "24xlarge": (96, 384, 4, 3760),
        "48xlarge": (192, 768, 8, 7520),
    },
    "gr6": {"4xlarge": (16, 128, 1, 600), "8xlarge": (32, 256, 1, 900)},
    "g6e": {
        "xlarge": (4, 32, 1, 250),
        "2xlarge": (8, 64, 1, 450),
        "4xlarge": (16, 128, 1, 600),
        "8xlarge": (32, 256, 1, 900),
        "12xlarge": (48, 384, 4, 3800),
        "16xlarge": (64, 512, 1, 1900),
        "24xlarge": (96, 768, 4, 3800),
        "48xlarge": (192, 1536, 8, 7600),
    },
    "g7": {
        "2xlarge": (8, 32, 1, 450),
        "4xlarge": (16, 64, 1, 600),
        "8xlarge": (32, 128, 1, 900),
        "12xlarge": (48, 192, 2, 1900),
        "24xlarge": (96, 384, 4, 3800),
        "48xlarge": (192, 768, 8, 7600),
    },
    "g7e": {
        "2xlarge": (8, 64, 1, 1900),
        "4xlarge": (16, 128, 1, 1900),
        "8xlarge": (32, 256, 1, 1900),
        "12xlarge": (48, 512, 2, 3800),
        "24xlarge": (96, 1024, 4, 7600),
        "48xlarge": (192, 2048, 8, 15200),
    },
    "p2": {"xlarge": (4, 61, 1, 0), "8xlarge": (32, 488, 8, 0), "16xlarge": (64, 732, 16, 0)},
    "p3": {"2xlarge": (8, 61, 1, 0), "8xlarge": (32, 244, 4, 0), "16xlarge": (64, 488, 8, 0)},
    "p3dn": {"24xlarge": (96, 768, 8, 1800)},
    "p4d": {"24xlarge": (96, 1152, 8, 8000)},
    "p4de": {"24xlarge": (96, 1152, 8, 8000)},
    "p5": {"4xlarge": (16, 256, 1, 3840), "48xlarge": (192, 2048, 8, 30720)},
    "p5e": {"48xlarge": (192, 2048, 8, 30720)},
    "p5en": {"48xlarge": (192, 2048, 8, 30720)},
    "p6-b200": {"48xlarge": (192, 2048, 8, 30720)},
    "p6-b300": {"48xlarge": (192, 4096, 8, 30720)},
    "p6e-gb200": {"36xlarge": (144, 960, 4, 22500)},
    "trn1": {"2xlarge": (8, 32, 1, 474), "32xlarge": (128, 512, 16, 7600)},
    "trn1n": {"32xlarge": (128, 512, 16, 7600)},
    "trn2": {"3xlarge": (12, 128, 1, 470), "48xlarge": (192, 2048, 16, 7680)},
    "inf1": {"xlarge": (4, 8, 1, 0), "2xlarge": (8, 16, 1, 0), "6xlarge": (24, 48, 4, 0), "24xlarge": (96, 192, 16, 0)},
    "inf2": {
        "xlarge": (4, 16, 1, 0),
        "8xlarge": (32, 128, 1, 0),
        "24xlarge": (96, 384, 6, 0),
        "48xlarge": (192, 768, 12, 0),
    },
    "dl1": {"24xlarge": (96, 768, 8, 4000)},
    "geospatial": {"interactive": (16, 32)},
}

# family -> (which, GiB of memory of each)
_ACCELERATORS: Mapping[str, tuple[str, float]] = {
    "g4dn": ("NVIDIA T4", 16),
    "g5": ("NVIDIA A10G", 24),
    "g6": ("NVIDIA L4", 24),
    "gr6": ("NVIDIA L4", 24),
    "g6e": ("NVIDIA L40S", 48),
    "g7": ("NVIDIA RTX PRO 4500", 32),
    "g7e": ("NVIDIA RTX PRO 6000", 96),
    "p2": ("NVIDIA K80", 12),
    "p3": ("NVIDIA V100", 16),
    "p3dn": ("NVIDIA V100", 32),
    "p4d": ("NVIDIA A100", 40),
    "p4de": ("NVIDIA A100", 80),
    "p5": ("NVIDIA H100", 80),
    "p5e": ("NVIDIA H200", 141),
    "p5en": ("NVIDIA H200", 141),
    "p6-b200": ("NVIDIA B200", 179),
    "p6-b300": ("NVIDIA B300", 268),
    "p6e-gb200": ("NVIDIA GB200", 185),
    "trn1": ("AWS Trainium", 32),
    "trn1n": ("AWS Trainium", 32),
    "trn2": ("AWS Trainium2", 96),
    "inf1": ("AWS Inferentia", 8),
    "inf2": ("AWS Inferentia2", 32),
    "dl1": ("Habana Gaudi", 32),
}

# Announced or listed by the API, but in no table that was at hand: counted like their neighbours.
_INFERRED = frozenset({"g7", "c8a", "m8a", "geospatial"})
