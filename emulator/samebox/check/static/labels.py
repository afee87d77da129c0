"""Metadata that SageMaker reads: capability labels and the exposed port."""

from __future__ import annotations

from samebox.check.checks import FILES, Check, Context
from samebox.check.findings import Finding, Rule
from samebox.check.static.places import line_of

PREFIX = "com.amazonaws.sagemaker.capabilities."
KNOWN = {"multi-models", "accept-bind-to-port", "bidirectional-streaming"}
PORT = "8080/tcp"

MULTI_MODEL = Rule(
    "multi-model-label",
    "The image's label declares that it serves multi-model endpoints",
    "contract §2.8",
    "fail",
    "multi-model",
    f"LABEL {PREFIX}multi-models=true",
)
CAPABILITIES = Rule(
    "image-capability-labels",
    "Capability labels are known to SageMaker, and true",
    "contract §2.7, §2.8, §2.6",
    "warn",
    "static",
    f'Known are {", ".join(sorted(KNOWN))} below {PREFIX[:-1]}, each "true".',
)
EXPOSE = Rule(
    "image-exposed-port",
    "If ports are exposed, 8080 is among them",
    "contract §2.2",
    "warn",
    "serving",
    "Listen on 8080, with EXPOSE 8080: SageMaker connects to no other port.",
)


def multi_model(context: Context) -> Finding:
    value = context.subject.config.labels.get(f"{PREFIX}multi-models")
    if value == "true":
        return MULTI_MODEL.passed("true")
    return MULTI_MODEL.broken("there is no such label" if value is None else f"its value is {value!r}")


def capabilities(context: Context) -> Finding:
    labels = context.subject.config.labels
    ours = {name: value for name, value in labels.items() if name.startswith(PREFIX)}
    wrong = [f"{name}={value}" for name, value in ours.items() if value != "true"]
    unknown = [name for name in ours if name.removeprefix(PREFIX) not in KNOWN]
    unknown += [name for name in labels if name not in ours and "sagemaker" in name and "capabilit" in name]
    if wrong or unknown:
        return CAPABILITIES.broken(", ".join([*wrong, *unknown]), line=line_of(context, "LABEL", "sagemaker"))
    if not ours:
        return CAPABILITIES.passed("none; a container of a pipeline needs accept-bind-to-port")
    return CAPABILITIES.passed(", ".join(sorted(name.removeprefix(PREFIX) for name in ours)))


def exposed(context: Context) -> Finding:
    ports = context.subject.config.exposed_ports
    if not ports:
        return EXPOSE.passed("none is exposed, which SageMaker does not mind")
    if PORT in ports:
        return EXPOSE.passed(", ".join(ports))
    return EXPOSE.broken(f"exposed: {', '.join(ports)}", line=line_of(context, "EXPOSE"))


CHECKS = (
    Check(MULTI_MODEL, multi_model, FILES, frozenset({"multi-model"})),
    Check(CAPABILITIES, capabilities, FILES),
    Check(EXPOSE, exposed, FILES, frozenset({"serve", "transform", "multi-model", "serverless"})),
)
