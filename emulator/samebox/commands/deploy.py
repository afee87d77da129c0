"""`samebox deploy`: deploys an image and a model to an endpoint of the emulator or of AWS, with the same options."""

import argparse
import json
import sys
import tarfile
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from samebox.check.findings import harmless
from samebox.commands import aws, bucket, consent, deployment, local_docker, repository
from samebox.commands.deployment import AwsCall, Deployment
from samebox.commands.display import Screen
from samebox.commands.following import INDENT, EndpointLog
from samebox.commands.local_docker import LocalImage
from samebox.commands.outcome import Stop

IN_TRANSIT = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
# An emulator's endpoint is quick, and its log is looked at as it comes; AWS's take minutes and count requests.
LOOK_EVERY_SECONDS, LOOK_AT_AWS_EVERY_SECONDS = 0.25, 5.0
BODY_SHOWN = 2000


def run(given: argparse.Namespace) -> int:
    with aws.spoken():
        session = aws.of_environment(given.region)
        there = consent.place(session.endpoint, session.account, session.region)
        notes = Console(stderr=True, soft_wrap=True)
        notes.print(f"With {there.name}", highlight=False)
        if given.delete:
            return delete(given, session, there, notes)
        return deploy(given, session, there, notes)


def deploy(given: argparse.Namespace, session: aws.Session, there: consent.Destination, notes: Console) -> int:
    if not given.image:
        raise Stop("--image is needed: an image in ECR, as samebox push prints it.", status=2)
    if given.payload and not given.payload.is_file():
        raise Stop(f"--payload {given.payload}: there is no such file.", status=2)
    # Read before anything is made: a file that cannot be read is no reason to find out when the endpoint serves.
    payload = given.payload.read_bytes() if given.payload else None
    sagemaker = session.client("sagemaker")
    uploads, model_data = _model_data(given, session)
    wanted = Deployment(
        endpoint=given.endpoint,
        image=_image(given.image, session, there, notes),
        model_data=model_data,
        role=_role(given.role, session, there),
        instance_type=given.instance_type,
        count=given.count,
        at=datetime.now(UTC),
        environment=_environment(given.env),
    )
    before = look(sagemaker, given.endpoint)
    first: list[AwsCall] = []
    if before and before["EndpointStatus"] == "Failed":
        first = deployment.teardown(given.endpoint, (), ())  # AWS updates no endpoint that never came into service
    update = before is not None and not first
    requests = [*first, *uploads, wanted.model(), wanted.configuration(), wanted.endpoint_request(update)]
    if given.dry_run:
        sys.stdout.write(json.dumps({"requests": [one.as_json() for one in requests]}, indent=2) + "\n")
        return 0
    if before and before["EndpointStatus"] in IN_TRANSIT:
        raise Stop(f"endpoint {given.endpoint} is {before['EndpointStatus']}; try again when it is not.")
    if there.costs:
        consent.ask(
            f"This runs {given.count} x {given.instance_type}, which AWS bills from now until "
            f"`samebox deploy --endpoint {given.endpoint} --delete`"
            f"{', and stores the model archive in S3' if uploads else ''}.",
            given.yes,
        )
    with closing(Screen(notes)) as screen:
        log = EndpointLog(session.client("logs"), given.endpoint, screen)
        for request in requests:
            with repository.held_by_emulator(wanted.image):
                send(session, request, notes)
            if request.operation == "DeleteEndpoint":
                wait_until_gone(sagemaker, given.endpoint, given.wait_minutes)
        pause = LOOK_AT_AWS_EVERY_SECONDS if there.costs else LOOK_EVERY_SECONDS
        after = wait(sagemaker, given.endpoint, given.wait_minutes, pause, log, screen, notes)
    if after["EndpointStatus"] != "InService" or after["EndpointConfigName"] != wanted.name:
        explain(wanted, after, log, there, notes)
        return 1
    notes.print(f"[green]{given.endpoint} is in service[/] with {wanted.image}", highlight=False)
    if payload is not None:
        return invoke(given, payload, session)
    return 0


def delete(given: argparse.Namespace, session: aws.Session, there: consent.Destination, notes: Console) -> int:
    sagemaker = session.client("sagemaker")
    found = look(sagemaker, given.endpoint)
    configurations, models = made_for(sagemaker, given.endpoint)
    requests = deployment.teardown(given.endpoint if found else None, configurations, models)
    if given.dry_run:
        sys.stdout.write(json.dumps({"requests": [one.as_json() for one in requests]}, indent=2) + "\n")
        return 0
    if not requests:
        notes.print(f"There is no endpoint {given.endpoint}, nor anything made for it.", highlight=False)
        return 0
    if there.costs:
        consent.ask(
            f"This deletes endpoint {given.endpoint}, {len(configurations)} configurations and {len(models)} models.",
            given.yes,
        )
    try:
        for request in requests:
            send(session, request, notes)
    except aws.ClientError as error:
        if "in-progress endpoint" not in str(error):
            raise
        here = "" if there.costs else " SAMEBOX_DELETE_IN_PROGRESS=true samebox up has the emulator take it earlier."
        raise Stop(
            f"endpoint {given.endpoint} is in progress, and AWS deletes none that is Creating or Updating. "
            f"Delete it when it is InService or Failed.{here}"
        ) from error
    wait_until_gone(sagemaker, given.endpoint, given.wait_minutes)
    notes.print(f"{given.endpoint} is gone.", highlight=False)
    return 0


def send(session: aws.Session, request: AwsCall, notes: Console) -> None:
    """Send one request."""
    notes.print(f"  {request.operation}", highlight=False)
    client = session.client(request.service)
    body = request.params.get("Body")
    if isinstance(body, Path):  # upload_file sends large archives in parts
        client.upload_file(str(body), request.params["Bucket"], request.params["Key"])
    else:
        getattr(client, deployment.method(request.operation))(**request.params)


def look(sagemaker: Any, endpoint: str) -> dict[str, Any] | None:
    """DescribeEndpoint's answer, or None when there is no such endpoint."""
    try:
        return dict(sagemaker.describe_endpoint(EndpointName=endpoint))
    except aws.ClientError as error:
        if aws.code(error) == "ValidationException" and "Could not find endpoint" in str(error):
            return None
        raise


def wait(
    sagemaker: Any, endpoint: str, minutes: float, pause: float, log: EndpointLog, screen: Screen, notes: Console
) -> dict[str, Any]:
    """Wait until the endpoint is in no transition, and show its log meanwhile. Raises Stop when that takes too long."""
    began, told = time.monotonic(), ""
    try:
        while True:
            found = look(sagemaker, endpoint)
            log.show()  # asked for after the status: what was written before the end is then among it
            if found is None:
                raise Stop(f"endpoint {endpoint} was deleted by another client.")
            status, passed = found["EndpointStatus"], time.monotonic() - began
            if status != told:
                notes.print(f"  {passed:6.1f} s  {status}", highlight=False)
                told = status
            if status not in IN_TRANSIT:
                return found
            if passed > minutes * 60:
                raise Stop(f"endpoint {endpoint} is still {status} after {minutes:g} minutes; it continues on its own.")
            screen.state(f"{status} for {passed:.0f} s")
            time.sleep(pause)
    except KeyboardInterrupt:
        raise Stop(
            f"endpoint {endpoint} is left to itself; --delete ends it once it is InService or Failed.", status=130
        ) from None


def wait_until_gone(sagemaker: Any, endpoint: str, minutes: float) -> None:
    began = time.monotonic()
    while look(sagemaker, endpoint) is not None:
        passed = time.monotonic() - began
        if passed > minutes * 60:
            raise Stop(f"endpoint {endpoint} is still being deleted after {minutes:g} minutes.")
        time.sleep(0.25 if passed < 30 else 10)


def explain(
    wanted: Deployment, after: dict[str, Any], log: EndpointLog, there: consent.Destination, notes: Console
) -> None:
    """Why the deployment failed: first the containers' log, then AWS's FailureReason."""
    why = log.why()
    if why:
        notes.print(f"[red]{wanted.endpoint} did not come into service. From its log:[/]", highlight=False)
        for line in why:
            notes.print(f"{INDENT}{harmless(line)}", style="red", highlight=False, markup=False)
    reason = after.get("FailureReason") or f"it is {after['EndpointStatus']}, and no reason is given"
    notes.print(f"[red]{wanted.endpoint}: {escape(reason)}[/]", highlight=False)
    if log.hint and not there.costs:
        notes.print(f"[yellow]Hint[/]: {escape(log.hint)}", highlight=False)
    all_of_it = f"aws logs tail {log.group} --since 1h" if there.costs else f"samebox logs {wanted.endpoint}"
    notes.print(f"All of its log: {all_of_it}" if why else "Its new containers logged nothing.", highlight=False)
    if after["EndpointStatus"] == "InService":
        notes.print(
            f"The old one ({after['EndpointConfigName']}) goes on serving; {wanted.name} was not put in service.",
            highlight=False,
        )


def made_for(sagemaker: Any, endpoint: str) -> tuple[list[str], list[str]]:
    """Endpoint configurations and models that this program made for an endpoint, by their tag."""
    return (
        _tagged(sagemaker, "list_endpoint_configs", "EndpointConfig", endpoint),
        _tagged(sagemaker, "list_models", "Model", endpoint),
    )


def invoke(given: argparse.Namespace, payload: bytes, session: aws.Session) -> int:
    """Send the payload and print the answer."""
    runtime = session.client("sagemaker-runtime")
    accept = {"Accept": given.accept} if given.accept else {}
    began = time.perf_counter()
    try:
        answer = runtime.invoke_endpoint(
            EndpointName=given.endpoint, Body=payload, ContentType=given.content_type, **accept
        )
    except aws.ClientError as error:
        raise Stop(f"the endpoint is in service, but refused {given.payload}: {aws.words(error)}") from None
    body = answer["Body"].read()
    milliseconds = (time.perf_counter() - began) * 1000
    notes = Console(stderr=True, soft_wrap=True)
    words = f"answer: {answer['ContentType']}, {len(body)} bytes, {milliseconds:.0f} ms"
    notes.print(words, highlight=False, markup=False)
    sys.stdout.write(body[:BODY_SHOWN].decode(errors="replace").rstrip("\n") + "\n")
    if len(body) > BODY_SHOWN:
        notes.print(f"… and {len(body) - BODY_SHOWN} bytes more", highlight=False)
    return 0


def check_archive(path: Path) -> None:
    """Raises Stop for an archive that SageMaker would refuse after minutes (contract.md §2.4)."""
    if path.is_dir():
        raise Stop(f"{path} is a folder. Pack what is in it: tar -C {path} -czf model.tar.gz .", status=2)
    if not path.is_file():
        raise Stop(f"{path} is neither an s3:// URI nor a file.", status=2)
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                parts = Path(member.name).parts
                if member.issym() or member.islnk():
                    raise Stop(f"{path} holds a link, {member.name}: SageMaker refuses it; tar --dereference helps.")
                if not (member.isfile() or member.isdir()) or member.name.startswith("/") or ".." in parts:
                    raise Stop(f"{path} holds {member.name}, which is not a plain file or folder inside it.")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise Stop(f"{path} is not a gzip-compressed tar: {error}") from None


def _model_data(given: argparse.Namespace, session: aws.Session) -> tuple[list[AwsCall], str | None]:
    if not given.model_data or given.model_data.startswith(("s3://", "https://")):
        return [], given.model_data
    archive = Path(given.model_data)
    check_archive(archive)
    s3, target = session.client("s3"), given.bucket or bucket.name(session.account, session.region)
    put = deployment.upload(archive, given.endpoint, target)
    uri = f"s3://{target}/{put.params['Key']}"
    if not bucket.exists(s3, target):
        return [deployment.creation_of(target, session.region), put], uri
    try:
        s3.head_object(Bucket=target, Key=put.params["Key"])
    except aws.ClientError as error:
        if aws.code(error) not in ("404", "NoSuchKey", "NotFound"):
            raise
        return [put], uri
    return [], uri


def _image(image: str, session: aws.Session, there: consent.Destination, notes: Console) -> str:
    first = image.partition("/")[0]
    if "/" in image and ("." in first or ":" in first):
        return image
    digest = image.partition("@")[2]
    name, tag = repository.default_name(image)
    ecr = session.client("ecr")
    if there.is_here:
        local = local_docker.image(image)
        if not repository.lists(ecr, name, tag, digest):
            if local is None:
                raise Stop(f"there is no image {image}, neither in ECR nor in the container engine of this machine.")
            return repository.by_id(local)
        if local is not None and not digest and _differs(ecr, name, tag, local):
            notes.print(
                f"[yellow]{image} is taken from ECR; the local image of this name is another one, which `samebox push "
                f"{image}` would bring there.[/]",
                highlight=False,
            )
    # repository:tag of this account's own ECR; its name there is asked for, because it depends on where "there" is
    uri = repository.uri(ecr, name, create=False)
    return f"{uri}@{digest}" if digest else f"{uri}:{tag}"


def _differs(ecr: Any, name: str, tag: str, local: LocalImage) -> bool:
    try:
        held = repository.manifest(ecr, name, tag)
    except aws.ClientError:
        return False  # the registry cannot be asked. That is for the deployment to find out, if it needs it at all
    return held is not None and not held.is_image(local)


def _role(role: str | None, session: aws.Session, there: consent.Destination) -> str:
    if role:
        return role
    if there.costs:
        raise Stop("--role is needed with AWS: the ARN of a role that SageMaker may assume.", status=2)
    return session.role("samebox")


def _environment(pairs: Sequence[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise Stop(f"--env {pair}: expected NAME=VALUE.", status=2)
    return dict(pair.split("=", 1) for pair in pairs)


def _tagged(sagemaker: Any, operation: str, noun: str, endpoint: str) -> list[str]:
    # The tags of each are a request of their own, so only those are asked for whose names are of our form.
    pages = sagemaker.get_paginator(operation).paginate(NameContains=deployment.beginning(endpoint))
    return [
        one[f"{noun}Name"]
        for page in pages
        for one in page[f"{noun}s"]
        if deployment.is_name_for(one[f"{noun}Name"], endpoint)
        and {"Key": deployment.TAG, "Value": endpoint} in sagemaker.list_tags(ResourceArn=one[f"{noun}Arn"])["Tags"]
    ]
