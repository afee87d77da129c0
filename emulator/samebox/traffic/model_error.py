"""ModelError: what InvokeEndpoint answers where the container failed, in AWS's words (contract.md §2.3)."""

from samebox.errors import AwsError
from samebox.traffic.connection import WholeResponse
from samebox.traffic.routes import Route, Target

_MESSAGE_CHARACTERS = 2048  # RT:Message


class ModelError(AwsError):
    """The container answered 4xx or 5xx, or did not answer: 424, with its response."""

    def __init__(self, message: str, status: int, body: str, log_stream_arn: str) -> None:
        fields = {
            "OriginalStatusCode": status,
            "OriginalMessage": body[:_MESSAGE_CHARACTERS],
            "LogStreamArn": log_stream_arn,
        }
        super().__init__("ModelError", message[:_MESSAGE_CHARACTERS], 424, fields)


# Where a partition's console is.
_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


def model_error(route: Route, target: Target, status: int, body: str) -> ModelError:
    """The container answered with a status that is none of success, or not at all: 0."""
    return _received(route, status, f'from {target.container} with message "{body}"', body)


def cut_off(route: Route, target: Target, status: int) -> ModelError:
    """The container's answer broke off in its body: the status that it had is not lost (contract.md §2.3)."""
    return _received(route, status, f"from {target.container} and could not load the entire response body", "")


def passed_too_much(route: Route, container: str, following: str, reply: WholeResponse, most: int) -> ModelError:
    """A container of a pipeline sent more than the next may get (contract.md §2.7)."""
    message = (
        f"Received response from {container} with status code {reply.status}. However, the request payload from "
        f"{container} to {following} is {len(reply.body)} bytes, which has exceeded the maximum limit of "
        f"{most >> 20} MB."
    )
    return ModelError(message, reply.status, "", _log_arn(route))


def _log_arn(route: Route) -> str:
    key = route.key
    return f"arn:{route.partition}:logs:{key.region}:{key.account}:log-group:{route.log_group}"


def _received(route: Route, status: int, what: str, body: str) -> ModelError:
    side = "client" if 400 <= status < 500 else "server"
    key = route.key
    message = (
        f"Received {side} error ({status}) {what}. See "
        f"https://{key.region}.{_CONSOLES.get(route.partition, _CONSOLES['aws'])}/cloudwatch/home?region={key.region}"
        f"#logEventViewer:group={route.log_group} in account {key.account} for more information."
    )
    return ModelError(message, status, body, _log_arn(route))
