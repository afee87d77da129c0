"""Remedies for a model that loads in one image and not in the other, by the error of loading it."""

from __future__ import annotations

import re

# A regular expression over the error, and the cure; groups of the one are put into the other.
_CURES: tuple[tuple[str, str], ...] = (
    (
        r"No module named '?numpy\._core",
        "the model was pickled by numpy 2, which numpy 1 cannot read: pin the same numpy in both images",
    ),
    (
        r"numpy\.dtype size changed|module compiled against (?:ABI|API) version",
        "a package was compiled against another numpy: pin the same numpy, and what was built on it, in both images",
    ),
    (
        r"unsupported pickle protocol: (\d+)",
        r"the model was pickled with protocol \1 by a newer Python: use the same Python in both images",
    ),
    (
        r"Can't get attribute '?([\w.]+)'? on <module '__(?:mp_)?main__'",
        r"\1 was defined in the training script itself: move it to a module that both images have",
    ),
    (
        r"Can't get attribute '?([\w.]+)'? on <module '([\w.]+)'",
        r"\2 of this image has no \1: pin the same version of it in both images",
    ),
    (
        r"No module named '?([\w]+)",
        r"the model needs \1, which this image does not have: install it, in the same version, in both images",
    ),
    (
        r"libcu\w+\.so|CUDA (?:error|driver)|deserialize object on a CUDA device",
        "the model was saved on a GPU: load it onto the CPU (map_location='cpu'), or save it from there",
    ),
)


def of(error: str) -> str:
    """A cure as half a sentence; what is in question is always the versions where nothing better is known."""
    for pattern, cure in _CURES:
        found = re.search(pattern, error)
        if found:
            return found.expand(cure)
    return "the table of differences shows what the two images do not have alike"
