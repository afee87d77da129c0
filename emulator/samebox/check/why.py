"""Why each rule matters: the effect on SageMaker of an image that breaks it, by rule id."""

from collections.abc import Mapping

WHY: Mapping[str, str] = {
    # The image as it is
    "image-manifest-type": "The push succeeds, and then CreateModel or CreateTrainingJob refuses the image.",
    "image-attestations": (
        "The tag names an index instead of an image. The push succeeds, and SageMaker refuses the image."
    ),
    "image-architecture": (
        "The container ends at once with `exec format error`; a job or endpoint is billed until it fails."
    ),
    "train-program": "The job fails after minutes of Starting with `CannotStartContainerError` or exit code 127.",
    "serve-program": "The endpoint fails after minutes of Creating with `CannotStartContainerError`.",
    "processing-program": "The processing job fails as soon as its container starts.",
    "image-entrypoint-exec-form": (
        "The shell ignores the argument `train` or `serve`, so the wrong program runs. It does not pass SIGTERM on, so "
        "a stopped job loses what it has not saved."
    ),
    "image-entrypoint-tini": (
        "tini looks for a program in the argument's place: `exec train failed: No such file or directory`."
    ),
    "image-shebang-crlf": (
        "The kernel looks for an interpreter whose name ends in a carriage return: `no such file or directory`."
    ),
    "multi-model-label": "CreateModel refuses Mode MultiModel for an image without the label.",
    "image-capability-labels": "SageMaker ignores a label that it does not know, and believes one that is not true.",
    "image-exposed-port": "/ping is asked on port 8080 only. A server on another port never gets into service.",
    "image-user-exists": "The container does not start: `unable to find user`.",
    "image-user": "A user without root's rights cannot write /opt/ml/model, so a training ends without its model.",
    "serverless-file-permissions": (
        "A serverless endpoint runs as another user than root and fails with `Permission denied`."
    ),
    "image-world-writable": (
        "Whatever runs in the container, an uploaded model too, can replace the program that runs next."
    ),
    "image-opt-ml-hidden": (
        "SageMaker mounts over these folders, so the files are missing in the job and present in every local test."
    ),
    "image-secrets": "Everyone who can pull the image can read the secret, even when a later layer deletes the file.",
    "image-secrets-in-config": "`docker inspect` and `docker history` show it to everyone who can pull the image.",
    "image-python-clashes": "The import fails when the container starts, after the wait for an instance.",
    "image-python-requirements": (
        "A package with a missing or wrong dependency fails when it is first used, often in production."
    ),
    "image-cuda-driver": "The image's driver hides the host's, and CUDA finds no device on a machine that has one.",
    "image-cuda-requirement": "On an instance with an older driver the job starts and fails at its first CUDA call.",
    "image-ca-certificates": (
        "Every HTTPS call from the container fails with `certificate verify failed`, calls to S3 too."
    ),
    "image-proxy-variables": (
        "On SageMaker the proxy does not exist: downloads, AWS calls and calls to localhost time out."
    ),
    "serverless-image-size": "CreateEndpoint fails for a serverless endpoint with an image over 10 GB.",
    "image-size-budget": (
        "Every start of an instance fetches the whole image: minutes for each job, each scale-out, each replacement."
    ),
    "image-layer-waste": "Bytes that no container can see are stored, paid for and fetched with every start.",
    "image-caches": "Downloaded packages stay in the image and are fetched with every start of an instance.",
    "image-dockerfile-lint": (
        "Most of hadolint's findings are builds that cannot be repeated or layers that are larger than needed."
    ),
    # The model's archive
    "artifact-readable": "The endpoint fails: SageMaker cannot unpack the archive.",
    "artifact-links": "The creation of the model fails on an archive with links.",
    "artifact-devices": "SageMaker does not unpack devices, pipes and sockets, so the model is incomplete or refused.",
    "artifact-paths": "Such a path is refused, or lands outside of /opt/ml/model, where the server does not look.",
    "artifact-top-directory": "The server reads /opt/ml/model and finds a single folder there: model not found.",
    "artifact-permissions": "A server that is not root cannot read its own model.",
    "artifact-size": "The endpoint fails: a serverless endpoint has too little disk for the unpacked model.",
    "artifact-mac-files": "Servers that read every file of the folder try to load macOS's attribute files and fail.",
    # Training
    "train-argument": "SageMaker always passes `train`. A program that does not expect it ends with a usage error.",
    "train-completes": "The job fails, minutes after it was created and with the instance billed.",
    "train-hyperparameters": (
        "Every hyperparameter arrives as a string. The job fails on the first that is used as a number."
    ),
    "train-config-files": (
        "SageMaker adds files there over the years. A program that reads all of them fails when it does."
    ),
    "train-hostname": (
        "The machine's name is `ip-….ec2.internal`. A program that compares it with `algo-1` waits or fails."
    ),
    "train-own-name": (
        "On SageMaker algo-1 is the address of a network interface. What listens on 127.0.0.1 is not found there."
    ),
    "train-sm-variables": (
        "Only images with the SageMaker toolkit have SM_* variables; without it a job fails with KeyError."
    ),
    "train-user": "The training runs to its end and then fails to save the model.",
    "train-network-isolation": "A job with EnableNetworkIsolation, or in a VPC without NAT, fails on the download.",
    "train-model": "The job is Completed and no model.tar.gz exists: CreateModel finds no model data.",
    "train-model-links": "The training succeeds and its model cannot be deployed.",
    "train-logs": (
        "CloudWatch shows nothing while the job runs, no metric is found, and what a killed job had buffered is lost."
    ),
    "train-exit-code": "A failed training is shown as Completed, and a pipeline goes on with a missing or old model.",
    "train-failure-file": "DescribeTrainingJob shows an empty FailureReason, and only the log has the cause.",
    "train-memory": "A training that was killed for its memory is shown as Completed, with half a model or none.",
    "train-memory-headroom": "A little more data, or a new library version, and the job is killed with exit code 137.",
    "train-pipe": "In Pipe mode there are no files in the channel's folder: the job fails or trains on nothing.",
    "train-pipe-epochs": (
        "The pipe of the next epoch appears late. A program that does not wait fails at the second epoch."
    ),
    "train-read-only-root": (
        "Where only /opt/ml and /tmp can be written, the job fails at the first cache or home folder."
    ),
    "train-two-hosts": "With InstanceCount 2 the hosts wait for each other, fail, or both write the whole model.",
    "train-sigterm": "StopTrainingJob and MaxRuntimeInSeconds take two billed minutes longer and end in SIGKILL.",
    "train-sigterm-model": "A job that reaches MaxRuntimeInSeconds, or is stopped, loses all that it had learned.",
    "train-checkpoint-resume": (
        "After a spot interruption the job begins again with its checkpoints and fails, every time."
    ),
    # Processing
    "processing-starts": (
        "The job fails at once: SageMaker runs ENTRYPOINT and CMD, or the job's own, and adds nothing."
    ),
    "processing-completes": "The job fails, minutes after it was created and with the instance billed.",
    "processing-argument": (
        "A processing job gets no `train` or `serve`. A program that needs an argument ends with a usage error."
    ),
    "processing-training-files": "A processing job has no /opt/ml/input/config. A program that reads it fails.",
    "processing-variables": "SM_* variables do not exist in a processing job: KeyError.",
    "processing-hostname": (
        "The machine's name is `ip-….ec2.internal`. A program that compares it with `algo-1` waits or fails."
    ),
    "processing-user": "The job runs to its end and fails to write its output.",
    "processing-network-isolation": (
        "A job with EnableNetworkIsolation, or in a VPC without NAT, fails on the download."
    ),
    "processing-output": "The job is Completed and its output is not in S3.",
    "processing-output-links": "Linked files are missing in S3, without an error.",
    "processing-logs": "CloudWatch shows no log of the job, and a failure cannot be explained.",
    "processing-exit-code": "Failed processing is shown as Completed, and a pipeline goes on with missing or old data.",
    "processing-message": (
        "FailureReason names no cause, and ExitMessage is empty; bytes that are not UTF-8 fail the job."
    ),
    "processing-two-hosts": "With InstanceCount 2 the hosts wait for each other or fail.",
    "processing-host-outputs": "The hosts overwrite each other's files in S3, and part of the output is lost.",
    "processing-sigterm": (
        "StopProcessingJob and MaxRuntimeInSeconds take two billed minutes longer and end in SIGKILL."
    ),
    "processing-read-only-root": (
        "Where only /opt/ml and /tmp can be written, the job fails at the first cache or home folder."
    ),
    # Serving: start and health
    "serve-starts": "The endpoint is Creating for minutes while the container is restarted, and then Failed.",
    "serve-listens": "SageMaker connects from outside of the container: no /ping arrives, and the endpoint fails.",
    "serve-ping-path": (
        "SageMaker follows no redirect. The endpoint fails the health check although a browser shows 200."
    ),
    "serve-ready": "The endpoint is Creating for eight minutes and then Failed: did not pass the ping health check.",
    "serve-read-only-model": "The model's folder is read-only on an endpoint: the server fails when it writes there.",
    "serve-without-gpu": "On a CPU instance the server fails at import or at its first CUDA call.",
    "serve-ping-time": "A /ping over two seconds counts as failed. The instance is taken out of service and replaced.",
    "serve-connect-time": "Callers wait or time out before the server has seen their request.",
    "serve-ping-means-ready": "The endpoint is InService, traffic goes to it, and every call is a ModelError.",
    "serve-ping-under-load": (
        "Under load the health check fails, SageMaker replaces the instance, and the load moves to the others."
    ),
    # Serving: requests
    "serve-invocations": "Every InvokeEndpoint call is a ModelError.",
    "serve-invocation-time": (
        "InvokeEndpoint ends after 60 seconds with a ModelError, while the container keeps computing."
    ),
    "serve-bad-body": "A caller's mistake is counted as your server's error: alarms ring and rollbacks start.",
    "serve-content-type": "Some clients add `; charset=utf-8`, and their calls fail.",
    "serve-accept": "Clients that send `*/*` or a list, as browsers and SDKs do, get an error.",
    "serve-unknown-headers": "SageMaker and the proxies before it add headers, and a new one would break every call.",
    "serve-response-headers": (
        "The call fails: SageMaker rejects a response whose headers are too long, and writes that to no log of yours."
    ),
    "serve-large-body": "Calls with large payloads fail, although SageMaker allows them.",
    "serve-keep-alive": "SageMaker keeps connections. The next caller's request fails because of the one before.",
    "serve-chunked-body": "Batch transform with MaxPayloadInMB=0 sends chunks: the server sees an empty body.",
    "serve-concurrency": "Callers get connection errors as soon as more than a few of them come at once.",
    "serve-memory-growth": "After hours or days the container is killed for its memory, again and again.",
    "serve-open-files": "After some thousand requests the server fails with `Too many open files`.",
    "serve-drains": "Each update and each scale-in loses the requests that are under way.",
    "serve-stops": "Each update and each scale-in takes longer and ends in SIGKILL, which loses requests.",
    "serve-bind-to-port": "In an inference pipeline all containers share one network, and two cannot have port 8080.",
    # Serving: streams
    "serve-stream": "InvokeEndpointWithResponseStream works, but the caller gets everything at once, at the end.",
    "serve-stream-arrives": "The caller waits for the whole answer, as if it was not streamed.",
    "serve-stream-ends": "The caller cannot tell a complete answer from one that broke off.",
    "serve-stream-abandoned": "Callers who leave keep workers busy until none is free.",
    "serve-stream-time": "SageMaker cuts a stream after eight minutes.",
    "serve-bidirectional": "InvokeEndpointWithBidirectionalStream fails: SageMaker opens a WebSocket at this path.",
    "serve-bidirectional-pong": "SageMaker closes a connection that leaves five Pings without a Pong.",
    "serve-bidirectional-frames": "A long message, which arrives in several frames, ends the connection.",
    "serve-bidirectional-close": "Connections that callers have left keep workers busy until none is free.",
    # Transform, serverless, multi-model
    "transform-environment": (
        "Batch transform sets variables that endpoints do not have, and the server fails to start with them."
    ),
    "transform-execution-parameters": (
        "Batch transform ignores what it cannot read and uses one small request at a time."
    ),
    "serverless-read-only-root": "A serverless endpoint can write to /tmp only: the server fails when it starts.",
    "serverless-non-root": "A serverless endpoint does not run as root: the server fails when it starts.",
    "multi-model-starts": (
        "No model is loaded when a multi-model endpoint starts: /ping never is 200, and the endpoint fails."
    ),
    "multi-model-unknown-model": (
        "SageMaker loads a model when the answer is 404. On any other status callers get the error."
    ),
    "multi-model-load": "No model can be invoked: SageMaker loads each by POST /models before its first call.",
    "multi-model-list": "SageMaker does not know what is loaded, and loads models twice or not at all.",
    "multi-model-names": "Models whose names SageMaker or your callers chose cannot be loaded.",
    "multi-model-invoke": "Every call of a multi-model endpoint fails.",
    "multi-model-unload": "Memory is never freed, and loading further models fails.",
    "multi-model-memory": (
        "The container is killed for its memory instead of unloading a model, and all models are gone."
    ),
}
