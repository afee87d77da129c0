"""Why a rule is missing or incomplete in the file for another tool, by rule id or by prefix of ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samebox.check.exports import image, serving, training

if TYPE_CHECKING:
    from samebox.check.checks import Context
    from samebox.check.findings import Rule

_IMAGE = {
    "image-manifest-type": "of the manifest that is pushed; the tool sees an image that an engine has unpacked.",
    "image-attestations": "of the manifest that is pushed; the tool sees an image that an engine has unpacked.",
    "image-architecture": "the image has no uname program to ask.",
    "image-python-clashes": "it is knowledge about pairs of packages and their versions.",
    "image-python-requirements": "pip check would find it, and the image has no pip.",
    "image-user-exists": "root, or a number, is looked up nowhere.",
    "image-user": "the image has no id program to ask, or is for serverless endpoints only.",
    "image-world-writable": "the image has no find that would look.",
    "image-capability-labels": "the image has no such label.",
    "image-exposed-port": "no port is exposed, which SageMaker does not mind.",
    "image-shebang-crlf": "no program of the image that SageMaker starts begins with #!.",
    "image-dockerfile-lint": "it is hadolint's.",
    "processing-program": "the image has neither ENTRYPOINT nor CMD.",
}
_LAYERS = "the tool sees files as the last layer leaves them, and no layer and no size."
_OWN_RUN = "it takes starts, signals or limits of its own, more than one host, or a comparison of two runs."
_BEGINS = (
    ("image-size", _LAYERS),
    ("image-layer", _LAYERS),
    ("image-caches", _LAYERS),
    ("serverless-image-size", _LAYERS),
    ("serverless-file", "the image has no serve."),
    ("artifact-", "of model.tar.gz, a file beside the image."),
    ("train-", _OWN_RUN),
    ("processing-", _OWN_RUN),
)

_STRUCTURE = (
    ("image-cuda-requirement", "it cannot say that a label or variable is of no value."),
    ("serve-", "no server runs beside its tests; goss.yaml asks one."),
    ("transform-", "no server runs beside its tests; goss.yaml asks one."),
    ("serverless-", "no server runs beside its tests."),
    ("multi-model-", "no server runs beside its tests; goss.yaml asks one."),
)
_METADATA = "a container cannot read the metadata of its image; container-structure-test.yaml tests it."
_GOSS = (
    ("image-entrypoint-", _METADATA),
    ("image-capability-labels", _METADATA),
    ("image-exposed-port", _METADATA),
    ("image-secrets-in-config", _METADATA),
    ("image-proxy-variables", _METADATA),
    ("image-cuda-requirement", _METADATA),
    (
        "image-cuda-driver",
        "the host's driver is mounted into a container that runs; container-structure-test.yaml has it.",
    ),
    ("multi-model-label", _METADATA),
    ("train-", "a job wants a container of its own; container-structure-test.yaml has some of it."),
    ("processing-", "a job wants a container of its own."),
    ("serve-ready", "goss_wait.yaml has it."),
    ("serve-starts", "dgoss itself ends when the container does, and goss_wait.yaml wants its /ping."),
    ("serve-bind-to-port", "run it once more with -e SAGEMAKER_BIND_TO_PORT=8093, if the image's label claims it."),
    ("serve-read-only-model", "the mount above is read-only: what starts under it passes."),
    ("serve-without-gpu", "run it on a machine without one."),
    ("serve-content-type", "the right response to a probe is not known; give --payload."),
    ("serve-accept", "the right response to a probe is not known; give --payload."),
    ("serve-unknown-headers", "the right response to a probe is not known; give --payload."),
    ("serve-large-body", "25 MB are too much for this file."),
    ("serve-", "it makes one plain request at a time, and sends no signal and reads no memory."),
    ("transform-environment", "run it once more with -e SAGEMAKER_BATCH=true."),
    ("serverless-read-only-root", "run it once more with --read-only --tmpfs /tmp."),
    ("serverless-non-root", "run it once more with --user 10001:10001."),
    ("multi-model-starts", "a server of many models wants a run of its own: export with --multi-model alone."),
    ("multi-model-unknown-model", "a server of many models wants a run of its own: export with --multi-model alone."),
    ("multi-model-", "it makes one plain request at a time, and brings no model."),
)

_PARTLY = {
    "image-shebang-crlf": "only of the programs that SageMaker starts, and of those that are wrong today.",
    "image-capability-labels": "a label that SageMaker does not know cannot be excluded.",
    "image-secrets": f"the usual places only; {_LAYERS}",
    "image-secrets-in-config": "the build's history is not seen.",
    "image-proxy-variables": "of ENV; the settings of pip are not seen.",
    "image-cuda-driver": "the usual place, and what is wrong today.",
    "serverless-file-permissions": "of the server's program only.",
    "train-completes": "without channels, and with none of the files that SageMaker does not document.",
    "train-exit-code": "a model folder that is a file stands in for one that may not be written.",
    "serve-bad-body": "one body of three: the others cannot be written down, or may be right.",
    "serve-unknown-headers": "some of the headers.",
    "transform-execution-parameters": "what they say is not read.",
    "multi-model-unknown-model": "the address of the model is not the platform's.",
}


def of_structure(context: Context, rule: Rule) -> str:
    return _of(context, rule, _STRUCTURE)


def of_goss(context: Context, rule: Rule) -> str:
    return _of(context, rule, _GOSS)


def partly(context: Context, rule: Rule) -> str:
    """What of an expressed rule is missing; nothing where nothing is."""
    if rule.id == "serve-invocations" and (names := serving.not_text(context)):
        return f"{', '.join(names)} cannot be written down: it is not text, or long."
    if rule.id == "image-opt-ml-hidden" and not image.has(context.subject, "sh", "find"):
        return "the image has no find that would look: folders that it lacks, and files that are wrong today."
    return _PARTLY.get(rule.id, "")


def _of(context: Context, rule: Rule, own: tuple[tuple[str, str], ...]) -> str:
    if rule.family == "training" and own is _STRUCTURE and (why := training.why_not(context)):
        return why
    if rule.id == "serve-invocations" and (names := serving.not_text(context)):
        return f"{', '.join(names)} cannot be written down: it is not text, or long."
    fitting = [row for row in (*_BEGINS, *_IMAGE.items(), *own) if rule.id.startswith(row[0])]
    # The longest prefix is the most specific reason; at equal length the tool's own comes first.
    return max(reversed(fitting), key=lambda row: len(row[0]))[1] if fitting else "the tool cannot express it."
