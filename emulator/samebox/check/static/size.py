"""The image's size, against AWS's limits and the user's own, and files in it that are not needed."""

from __future__ import annotations

from samebox.check.checks import FILES, Check, Context
from samebox.check.findings import Finding, Rule
from samebox.check.static.places import line_naming, megabytes, some

SERVERLESS_BYTES = 10 * 2**30
_WASTE_SHARE, _WASTE_BYTES = 0.1, 50_000_000
_CACHES = (
    "/root/.cache/",
    "/var/cache/apt/archives/",
    "/var/lib/apt/lists/",
    "/var/cache/yum/",
    "/var/cache/dnf/",
    "/var/cache/apk/",
    "/opt/conda/pkgs/",
    "/root/.npm/",
)
_CACHE_BYTES = 1_000_000

SERVERLESS = Rule(
    "serverless-image-size",
    "The image is within the 10 GB of serverless endpoints",
    "contract §2.10",
    "fail",
    "serverless",
    "Leave compilers, caches and CUDA out (serverless endpoints have no GPU), or use an instance.",
)
BUDGET = Rule(
    "image-size-budget",
    "The image is within its budget",
    "--max-size, or the image's label samebox.size-budget-mb",
    "fail",
    "static",
    "Look at the largest layers (docker history); every start of an instance fetches all of them.",
)
WASTE = Rule(
    "image-layer-waste",
    "Layers hold little that later layers delete or replace",
    "https://github.com/wagoodman/dive (wasted space)",
    "warn",
    "static",
    "Delete in the same RUN that makes it, build in an earlier stage, and COPY --chmod instead of RUN chmod.",
)
CACHES = Rule(
    "image-caches",
    "No caches of package managers are left",
    "https://docs.docker.com/build/building/best-practices/ (apt-get, cache)",
    "warn",
    "static",
    "pip: PIP_NO_CACHE_DIR=1. apt: rm -rf /var/lib/apt/lists/* in the same RUN, or RUN --mount=type=cache.",
)


def serverless(context: Context) -> Finding:
    size = context.subject.contents.size_bytes
    if size > SERVERLESS_BYTES:
        return SERVERLESS.broken(f"{megabytes(size)} uncompressed")
    return SERVERLESS.passed(megabytes(size))


def budget(context: Context) -> Finding:
    contents = context.subject.contents
    label = contents.config.labels.get("samebox.size-budget-mb", "")
    limit = context.options.size_budget or (int(label) * 1_000_000 if label.isdigit() else None)
    if limit is None:
        return BUDGET.skipped("no budget is set: give one with --max-size")
    seen = f"{megabytes(contents.size_bytes)} of {megabytes(limit)}"
    return BUDGET.broken(seen) if contents.size_bytes > limit else BUDGET.passed(seen)


def waste(context: Context) -> Finding:
    contents = context.subject.contents
    wasted = contents.files.wasted_bytes
    share = wasted / contents.size_bytes if contents.size_bytes else 0.0
    seen = f"{megabytes(wasted)} of {megabytes(contents.size_bytes)} ({share:.0%}) is hidden by later layers"
    if wasted < _WASTE_BYTES or share < _WASTE_SHARE:
        return WASTE.passed(seen)
    largest = sorted(contents.files.wasted.items(), key=lambda item: -item[1])
    return WASTE.broken(f"{seen}, the most of it {some([path for path, _ in largest], 3)}")


def caches(context: Context) -> Finding:
    found: dict[str, int] = {}
    for layer in context.subject.files.layers:
        for row, path in enumerate(layer.paths):
            for place in _CACHES:
                if path.startswith(place):
                    found[place] = found.get(place, 0) + layer.size(row)
    total = sum(found.values())
    if total < _CACHE_BYTES:
        return CACHES.passed(megabytes(total))
    worst = sorted(found, key=lambda place: -found[place])
    places = some([f"{place} ({megabytes(found[place])})" for place in worst], 3)
    return CACHES.broken(f"{places} in its layers", line=line_naming(context, "pip install", "apt-get install"))


CHECKS = (
    Check(SERVERLESS, serverless, FILES, frozenset({"serverless"})),
    Check(BUDGET, budget, FILES),
    Check(WASTE, waste, FILES),
    Check(CACHES, caches, FILES),
)
