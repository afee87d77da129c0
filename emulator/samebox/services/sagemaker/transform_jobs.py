"""Transform jobs: what only the service can know before one is written down (contract.md §3)."""

from collections.abc import Mapping
from typing import Any

from samebox.errors import ValidationException
from samebox.resources import json_path
from samebox.resources.kinds import MODEL, TRANSFORM_JOB
from samebox.resources.run_facts import JobFacts, ServedModel
from samebox.services import images
from samebox.services.context import Operation, Services
from samebox.services.members.tables import refuse
from samebox.services.sagemaker import endpoints, job_ends
from samebox.wire.caller import Caller

_PRODUCT_MB = 100
_FORMATS = ("text/csv", "application/json", "application/jsonlines")


def create(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """CreateTransformJob. The input is looked for before the job exists, as AWS does (contract.md §3.5)."""
    refuse("sagemaker", "CreateTransformJob", params)
    model = services.resources.get(MODEL, caller, params["ModelName"])
    _check_batches(params)
    _check_processing(params)
    _check_capture(params)
    _check_input(services, params, model.spec.get("ExecutionRoleArn", ""), caller)
    first, *others = (endpoints.served_container(services, one, caller) for one in images.model_containers(model.spec))
    isolated = bool(model.spec.get("EnableNetworkIsolation"))
    facts = ServedModel(first, model.spec.get("ExecutionRoleArn"), isolated, tuple(others))
    job = services.resources.create(TRANSFORM_JOB, caller, params, JobFacts(first.resolved_image, model=facts))
    return {"TransformJobArn": job.arn}


def describe(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """DescribeTransformJob."""
    job = services.resources.get(TRANSFORM_JOB, caller, params["TransformJobName"])
    source, output = job.spec["TransformInput"], job.spec["TransformOutput"]
    filled = {
        "TransformInput": {"CompressionType": "None", "SplitType": "None", **source},
        "TransformOutput": {"AssembleWith": "None", "KmsKeyId": "", **output},
        "DataProcessing": {
            "InputFilter": "$", "OutputFilter": "$", "JoinSource": "None", **job.spec.get("DataProcessing", {})
        },
    }  # fmt: skip
    return {**services.resources.present(job), **filled}


def stop(services: Services, params: dict[str, Any], caller: Caller) -> None:
    """StopTransformJob."""
    job = services.resources.find(TRANSFORM_JOB, caller, params["TransformJobName"])
    if job is None:
        raise ValidationException(f"Could not find job to update with name {params['TransformJobName']}")  # §6.3
    job_ends.stop(services, job)


def _check_batches(params: Mapping[str, Any]) -> None:
    # SM:CreateTransformJobRequest; the words are ours.
    payload, concurrent = params.get("MaxPayloadInMB", 6), params.get("MaxConcurrentTransforms") or 1
    if payload > _PRODUCT_MB or payload * concurrent > _PRODUCT_MB:
        raise ValidationException(
            f"MaxConcurrentTransforms * MaxPayloadInMB must be at most {_PRODUCT_MB}; it is {payload * concurrent}."
        )
    split = params["TransformInput"].get("SplitType", "None")
    if payload == 0 and split != "None":
        raise ValidationException("MaxPayloadInMB 0 can only be specified with SplitType None.")


def _check_processing(params: Mapping[str, Any]) -> None:
    processing = params.get("DataProcessing") or {}
    joins = processing.get("JoinSource", "None") == "Input"
    if not joins and {processing.get("InputFilter", "$"), processing.get("OutputFilter", "$")} == {"$"}:
        return
    content, accept = (
        params[part].get(member, "").partition(";")[0]
        for part, member in (("TransformInput", "ContentType"), ("TransformOutput", "Accept"))
    )
    split, assemble = (
        params[part].get(member, "None")
        for part, member in (("TransformInput", "SplitType"), ("TransformOutput", "AssembleWith"))
    )
    # contract.md §3.4; the words are ours.
    for name, form in (("ContentType", content), ("Accept", accept or content)):
        if form not in _FORMATS:
            raise ValidationException(f"DataProcessing needs {name} to be one of {', '.join(_FORMATS)}.")
    if "text/csv" in (content, accept) and (split, assemble) != ("Line", "Line"):
        raise ValidationException("DataProcessing of text/csv needs SplitType and AssembleWith Line.")
    if joins and (content != (accept or content) or split != assemble):
        raise ValidationException("JoinSource Input needs the same ContentType and Accept, SplitType and AssembleWith.")
    for member in ("InputFilter", "OutputFilter"):
        try:
            json_path.parse(processing.get(member, "$"))
        except json_path.BadPath as error:
            raise ValidationException(f"{member} is not a supported JSONPath: {error}.") from None


def _check_capture(params: Mapping[str, Any]) -> None:
    if not (params.get("DataCaptureConfig") or {}).get("GenerateInferenceId"):
        return
    accept = params["TransformOutput"].get("Accept") or params["TransformInput"].get("ContentType", "")
    if accept.partition(";")[0].strip().lower() not in _FORMATS:
        # contract.md §2.12; the words are ours.
        raise ValidationException(f"GenerateInferenceId needs Accept to be one of {', '.join(_FORMATS)}.")


def _check_input(services: Services, params: Mapping[str, Any], role: str, caller: Caller) -> None:
    source = params["TransformInput"]["DataSource"]["S3DataSource"]
    uri = source["S3Uri"]
    look = services.objects.exists if source["S3DataType"] == "ManifestFile" else services.objects.exists_under
    if not look(uri):
        bucket = uri.partition("://")[2].partition("/")[0]
        raise ValidationException(
            f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket '
            f"exists in the selected region ({caller.region}), that objects exist under that S3 prefix, and that the "
            f'role "{role}" has "s3:ListBucket" permissions on bucket "{bucket}".'
        )


OPERATIONS: dict[str, Operation] = {
    "CreateTransformJob": create,
    "DescribeTransformJob": describe,
    "StopTransformJob": stop,
}
