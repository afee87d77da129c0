"""The options of `samebox push` and `samebox deploy`, which work with AWS as well as with an emulator.

Kept apart from the commands, whose modules load boto3, so that `samebox --help` is fast.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from samebox.commands.option_form import Commands

_PUSH_EXAMPLES = """\
examples:
  eval "$(samebox env)"                                     into the emulator; without it, into AWS
  samebox push samebox/train:cpu samebox/serve:cpu --create both images, into repositories of the same names
  samebox push my/model:7 --repository team/model --tag 7 --tag latest

Credentials and region are AWS's usual ones (AWS_PROFILE, AWS_REGION, ~/.aws/config, roles); AWS_ENDPOINT_URL decides
whether the emulator or AWS is meant. docker is logged in only while this runs. What ECR holds already is not pushed
again.
"""

_DEPLOY_EXAMPLES = """\
examples:
  eval "$(samebox env)"        the emulator; without it, AWS
  samebox deploy --endpoint digits --image samebox/serve:cpu --model-data s3://…/output/model.tar.gz
  samebox deploy --endpoint digits --image … --model-data ./model.tar.gz --payload digit.csv --content-type text/csv
  samebox deploy --endpoint digits --delete

Run again with another image or model, it updates the endpoint, which serves the old one until the new one is in
service. The log of the new containers is shown meanwhile; when they cannot serve, the exception of that log and the
reason are printed, and the old one goes on. Exit status 0 only when the new one serves. Credentials and region are
AWS's usual ones; AWS_ENDPOINT_URL decides whether the emulator or AWS is meant.
"""


def push(commands: Commands[argparse.ArgumentParser]) -> None:
    push = commands.add_parser(
        "push",
        help="push local images to ECR, the emulator's or AWS's",
        description="Push local images to ECR as Docker v2 manifests (SageMaker takes no others); print the digests.",
        epilog=_PUSH_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    push.add_argument("images", nargs="+", metavar="IMAGE", help="a local image, such as samebox/train:cpu")
    push.add_argument("--repository", metavar="NAME", help="ECR repository (default: the image's own name)")
    push.add_argument("--tag", action="append", metavar="TAG", help="tag in ECR (default: the image's own); repeatable")
    push.add_argument("--create", action="store_true", help="create the repository if it does not exist")
    push.add_argument("--region", help="AWS region (default: the environment's)")
    push.add_argument("--json", action="store_true", help="print one JSON list instead of lines")
    push.add_argument("--yes", "-y", action="store_true", help="do not ask before actions that AWS bills")


def deploy(commands: Commands[argparse.ArgumentParser]) -> None:
    deploy = commands.add_parser(
        "deploy",
        help="deploy an image and a model to an endpoint, the emulator's or AWS's",
        description="Create or update a SageMaker endpoint from an image and a model, wait for it, and try it.",
        epilog=_DEPLOY_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = deploy.add_argument_group("what to serve")
    what.add_argument("--endpoint", required=True, metavar="NAME", help="the endpoint to create, update or delete")
    what.add_argument(
        "--image",
        metavar="IMAGE",
        help="image in ECR, as samebox push prints it, or just repository:tag; with the emulator also a local image",
    )
    what.add_argument("--model-data", metavar="S3_OR_TAR", help="s3://…/model.tar.gz, or a local one to upload first")
    what.add_argument(
        "--env", action="append", default=[], metavar="NAME=VALUE", help="variable of the container; repeatable"
    )
    how = deploy.add_argument_group("on what")
    how.add_argument("--instance-type", default="ml.m5.large", help="ml.* type (default: ml.m5.large)")
    how.add_argument("--count", type=int, default=1, help="number of instances (default: 1)")
    how.add_argument("--role", metavar="ARN", help="execution role; may be left out with the emulator")
    how.add_argument("--bucket", help="for a local archive (default: samebox-<region>-<account>, made if missing)")
    how.add_argument("--region", help="AWS region (default: the environment's)")
    test = deploy.add_argument_group("try it")
    test.add_argument("--payload", type=Path, metavar="FILE", help="send this file to the endpoint, print the response")
    test.add_argument("--content-type", default="application/octet-stream", help="of the payload, such as text/csv")
    test.add_argument("--accept", help="requested type of the response")
    deploy.add_argument("--wait-minutes", type=float, default=30, help="how long to wait for it (default: 30)")
    deploy.add_argument("--dry-run", action="store_true", help="print the exact requests as JSON and send none")
    deploy.add_argument("--delete", action="store_true", help="delete the endpoint and what samebox made for it")
    deploy.add_argument(
        "--yes", "-y", action="store_true", help="do not ask before deleting, or actions that AWS bills"
    )
