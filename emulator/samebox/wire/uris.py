"""URI templates of the rest protocols: `/endpoints/{EndpointName}/invocations`, and `{Key+}` that swallows slashes."""

import re
from functools import lru_cache
from urllib.parse import unquote

_LABEL = re.compile(r"\{(\w+)(\+?)\}")


@lru_cache(maxsize=1024)
def _compiled(template: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    path = template.partition("?")[0]
    names = tuple(name for name, _ in _LABEL.findall(path))
    pieces = _LABEL.split(path)  # text, name, plus, text, name, plus, …, text
    source = re.escape(pieces[0])
    for plus, text in zip(pieces[2::3], pieces[3::3], strict=True):
        source += ("(.+)" if plus else "([^/]+)") + re.escape(text)
    return re.compile(source), names


def labels(template: str, path: str) -> dict[str, str] | None:
    """What the labels of `template` are in a still encoded `path`, decoded; None where it does not match."""
    pattern, names = _compiled(template)
    found = pattern.fullmatch(path)
    if found is None:
        return None
    return {name: unquote(value) for name, value in zip(names, found.groups(), strict=True)}


def literals(template: str) -> int:
    """How much of a template is not label: of two that match, the more literal one is meant."""
    return len(_LABEL.sub("", template))
