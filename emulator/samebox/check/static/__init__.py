"""Checks that read an image and run nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samebox.check.static import (
    certificates,
    cuda,
    labels,
    lint,
    manifest,
    opt_ml,
    programs,
    proxies,
    python_packages,
    secrets,
    size,
    users,
)

if TYPE_CHECKING:
    from samebox.check.checks import Check

STATIC: tuple[Check, ...] = (
    *manifest.CHECKS,
    *programs.CHECKS,
    *labels.CHECKS,
    *users.CHECKS,
    *opt_ml.CHECKS,
    *secrets.CHECKS,
    *python_packages.CHECKS,
    *cuda.CHECKS,
    *certificates.CHECKS,
    *proxies.CHECKS,
    *size.CHECKS,
    *lint.CHECKS,
)
