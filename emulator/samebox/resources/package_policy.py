"""The resource policy of a group of model packages, which Describe never shows."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GroupPolicy:
    """Facts of a ModelPackageGroup; '' where no policy was put."""

    policy: str = ""
