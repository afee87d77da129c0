"""Guesses the claims of an image from the programs on its PATH, for runs without --train, --serve, …."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from samebox.check.checks import Claim
    from samebox.check.subject import Subject

MULTI_MODEL_LABEL = "com.amazonaws.sagemaker.capabilities.multi-models"


def claims(subject: Subject) -> tuple[frozenset[Claim], str]:
    """The claims, and a sentence with the reason. Reads the image."""
    names: tuple[Claim, Claim] = ("train", "serve")
    found: set[Claim] = {name for name in names if _is_program(subject, name)}
    if not found:
        both: frozenset[Claim] = frozenset(names)
        if subject.config.entrypoint:
            return (
                both,
                "neither train nor serve is on its PATH: its entrypoint is checked with both (--train, --serve select)",
            )
        return both, "neither train nor serve is on its PATH; both are checked (--train or --serve selects)"
    why = f"checked for {' and '.join(sorted(found))}, found on its PATH (--train, --serve, … select)"
    if "serve" in found and subject.config.labels.get(MULTI_MODEL_LABEL) == "true":
        found.add("multi-model")
        why += "; and for multi-model endpoints, by its label"
    return frozenset(found), why


def _is_program(subject: Subject, name: str) -> bool:
    found = subject.which(name)
    return found is not None and found.is_file
