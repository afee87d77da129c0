"""What the image keeps in /opt/ml, over which SageMaker mounts its own folders."""

from __future__ import annotations

from samebox.check.checks import FILES, Check, Context
from samebox.check.findings import Finding, Rule
from samebox.check.static.places import line_naming, some

# In a job these are mounted, whatever the image has there. A server gets its model, if the request names one.
MOUNTED = {
    "train": ("/opt/ml/input", "/opt/ml/model", "/opt/ml/output", "/opt/ml/checkpoints"),
    "processing": ("/opt/ml/input", "/opt/ml/output", "/opt/ml/config", "/opt/ml/processing"),
    "serve": ("/opt/ml/model", "/opt/ml/models"),
}
_KEPT = ("/opt/ml/code",)

HIDDEN = Rule(
    "image-opt-ml-hidden",
    "The image has no files where SageMaker mounts",
    "contract §1.1",
    "fail",
    "static",
    "Put it elsewhere (/opt/program, /opt/ml/code): /opt/ml is reserved, and mounts hide what the image has there.",
)


def hidden(context: Context) -> Finding:
    files = [file.path for file in context.subject.files if file.path.startswith("/opt/ml/") and not file.is_folder]
    files = [path for path in files if not path.startswith(tuple(f"{one}/" for one in _KEPT))]
    jobs = [one for name in ("train", "processing") if name in context.claims for one in MOUNTED[name]]
    certain = sorted(path for path in files if path.startswith(tuple(f"{one}/" for one in jobs)))
    line = line_naming(context, *(file.rpartition("/")[0] for file in files)) if files else None
    if certain:
        return HIDDEN.broken(f"{some(certain)} will be hidden", line=line)
    served = sorted(path for path in files if path.startswith(tuple(f"{one}/" for one in MOUNTED["serve"])))
    if served:
        return HIDDEN.warned(f"{some(served)} will be hidden when the model has a ModelDataUrl", line=line)
    if files:
        return HIDDEN.warned(f"{some(sorted(files))} may be hidden: /opt/ml is reserved", line=line)
    return HIDDEN.passed("nothing but /opt/ml/code" if "/opt/ml/code" in context.subject.files else "nothing")


CHECKS = (Check(HIDDEN, hidden, FILES),)
