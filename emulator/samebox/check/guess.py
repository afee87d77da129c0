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
                "no train or serve is on its PATH: its entrypoint is taken to know both (or say --train, --serve)",
            )
        return both, "no train or serve is on its PATH; both are checked (say --train or --serve)"
    why = f"{' and '.join(sorted(found))} on its PATH: checked for that (say --train, --serve, … to choose)"
    if "serve" in found and subject.config.labels.get(MULTI_MODEL_LABEL) == "true":
        found.add("multi-model")
        why += "; its label claims multi-model endpoints"
    return frozenset(found), why


def _is_program(subject: Subject, name: str) -> bool:
    found = subject.which(name)
    return found is not None and found.is_file
