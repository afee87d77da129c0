"""Programs of an image that note what they find, and what a probe looks at after a job or an endpoint has run."""

import json
from contextlib import closing
from dataclasses import asdict
from typing import Any

from samebox.containers.fake_process import ANY, FakeRequest, FakeResponse, Process
from samebox.resources.kinds import ENDPOINT, PROCESSING_JOB, TRAINING_JOB, TRANSFORM_JOB
from samebox.resources.query import Query
from tests.laws.probes.values import ARN
from tests.laws.probing import ProbedEmulator
from tests.laws.whole_emulator import LIMIT_SECONDS, s3_client
from tests.scenarios.emulator_process import until


def programs(seen: dict[str, list[Any]]) -> dict[str, Any]:
    """Programs of an image that note what they find: arguments, environment, limits, and the files below /opt/ml."""

    def note(process: Process) -> None:
        spec = asdict(process.spec)
        for name in ("name", "labels", "mounts", "publish", "image"):
            spec.pop(name)
        if spec["hostname"].startswith("ip-10-"):
            spec.pop("hostname")  # a job's own
        if spec["network"].startswith("samebox-"):
            spec["network"] = "the job's own"
        spec["environment"] = {name: text for name, text in process.environment.items() if name != "HOSTNAME"}
        places, files = sorted(mount.target for mount in process.spec.mounts), {}
        for mount in process.spec.mounts:
            for path in sorted(process.path(mount.target).rglob("*")):
                if path.is_file():
                    files[f"{mount.target}/{path.relative_to(mount.source)}"] = path.read_text(errors="replace")
        seen.setdefault(_arn(process), []).append([process.argv, process.spec.image[-64:], spec, places, files])

    def train(process: Process) -> int:
        note(process)
        process.print("loss=0.5", "accuracy=0.9")
        process.path("/opt/ml/model/weights").write_text("weights")
        return 0

    def serve(process: Process) -> int:
        note(process)

        def answer(request: FakeRequest) -> FakeResponse:
            if request.body == b"fail":
                return FakeResponse(400, b"no such thing")
            known = {key.lower(): value for key, value in request.headers.items() if key.lower() != "host"}
            if "SAGEMAKER_BATCH" in process.environment and request.path == "/invocations":
                seen[_arn(process)].append([known, request.body.decode(errors="replace")])
            return FakeResponse(200, json.dumps([known, request.body.decode(errors="replace")]).encode())

        return process.serve(answer)

    def process_data(process: Process) -> int:
        note(process)
        outputs = [mount.target for mount in process.spec.mounts if mount.target.startswith("/opt/ml/processing/")]
        for output in outputs:
            (process.path(output) / "result").write_text("result")
        return 0

    def run(process: Process) -> int:
        trains = any(mount.target == "/opt/ml/model" for mount in process.spec.mounts)
        return train(process) if trains else process_data(process)

    return {"serve": serve, ANY: run}


def _arn(process: Process) -> str:
    return next(label for label in process.spec.labels.values() if label.startswith("arn:"))


def settled(world: ProbedEmulator, name: str) -> None:
    """Waits until nothing is being done for an endpoint."""
    busy = ("Creating", "Updating", "Deleting")

    def is_settled() -> bool:
        rows = world.whole.emulator.store.find(Query(ENDPOINT.noun))
        return not any(row.name == name and row.status in busy for row in rows)

    until(is_settled, LIMIT_SECONDS, f"endpoint {name} has settled")


def serving(world: ProbedEmulator, name: str) -> Any:
    """What an endpoint's containers saw, what it answers, and what it shows of itself. It is deleted then."""
    settled(world, name)
    invoke = {"EndpointName": name, "Body": b"1", "ContentType": "text/csv"}
    answers = [world.ask("sagemaker-runtime", "InvokeEndpoint", {**invoke, "Body": body}) for body in (b"1", b"fail")]
    shown = world.ask("sagemaker", "DescribeEndpoint", {"EndpointName": name}).parsed
    variants = [
        {key: variant[key] for key in ("VariantName", "CurrentWeight", "CurrentInstanceCount") if key in variant}
        for variant in shown.get("ProductionVariants", ())
    ]
    world.ask("sagemaker", "DeleteEndpoint", {"EndpointName": name})
    settled(world, name)
    status, reason = shown["EndpointStatus"], shown.get("FailureReason")
    headers = [(one.status, one.error, one.message.replace(name, "$"), one.body.decode()) for one in answers]
    invoked = [one.parsed.get("InvokedProductionVariant") for one in answers]
    return [status, reason, variants, headers, invoked, sorted(map(str, world.seen.pop(f"{ARN}:endpoint/{name}", [])))]


def processed(world: ProbedEmulator, name: str) -> Any:
    """What a processing job's containers saw, and what is shown of the job when it has ended."""

    def has_ended() -> bool:
        return not any(row.name == name for row in world.whole.emulator.resources.unfinished(PROCESSING_JOB))

    until(has_ended, LIMIT_SECONDS, f"job {name} has ended")
    shown = world.ask("sagemaker", "DescribeProcessingJob", {"ProcessingJobName": name}).parsed
    ended = {key: shown[key] for key in ("ProcessingJobStatus", "FailureReason", "ExitMessage") if key in shown}
    return [ended, sorted(map(str, world.seen.pop(f"{ARN}:processing-job/{name}", [])))]


def transformed(world: ProbedEmulator, name: str) -> Any:
    """What a transform job's containers saw and what they were asked, its data log, and how it ended."""

    def has_ended() -> bool:
        return not any(row.name == name for row in world.whole.emulator.resources.unfinished(TRANSFORM_JOB))

    until(has_ended, LIMIT_SECONDS, f"job {name} has ended")
    shown = world.ask("sagemaker", "DescribeTransformJob", {"TransformJobName": name}).parsed
    ended = {key: shown[key] for key in ("TransformJobStatus", "FailureReason") if key in shown}
    group = {"logGroupName": "/aws/sagemaker/TransformJobs", "logStreamNamePrefix": f"{name}/"}
    found = world.ask("logs", "FilterLogEvents", group).parsed.get("events", ())
    lines = [one["message"].partition("[sagemaker logs]: ")[2] for one in found]
    with closing(s3_client(world.whole.emulator.settings)) as s3:
        keys = [one["Key"] for one in s3.list_objects_v2(Bucket="samples", Prefix="predictions/").get("Contents", [])]
        outputs = [(key, s3.get_object(Bucket="samples", Key=key)["Body"].read()) for key in keys]
        for key in keys:
            s3.delete_object(Bucket="samples", Key=key)
    return [ended, sorted(lines), outputs, sorted(map(str, world.seen.pop(f"{ARN}:transform-job/{name}", [])))]


def trained(world: ProbedEmulator, name: str) -> Any:
    """What a job's container saw, and what is shown of the job when it has ended."""

    def has_ended() -> bool:
        return not any(row.name == name for row in world.whole.emulator.resources.unfinished(TRAINING_JOB))

    until(has_ended, LIMIT_SECONDS, f"job {name} has ended")
    shown = dict(world.ask("sagemaker", "DescribeTrainingJob", {"TrainingJobName": name}).parsed)
    kept = ("TrainingJobStatus", "FailureReason", "FinalMetricDataList", "ModelArtifacts")
    ended = {key: shown[key] for key in kept if key in shown}
    for metric in ended.get("FinalMetricDataList", ()):
        metric.pop("Timestamp")
    return [ended, world.seen.pop(f"{ARN}:training-job/{name}", [])]
