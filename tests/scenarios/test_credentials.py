"""Containers that ask for their role's credentials, and use them on the emulator they run under."""

import json
import time
from collections.abc import Iterator

import pytest

from tests.scenarios.emulator_process import ROLE, WAIT_SECONDS, EmulatorProcess, until
from tests.scenarios.test_training import channel

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def generous(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """An emulator that serves containers at 169.254.170.2, which one emulator of a machine can do at a time."""
    process = EmulatorProcess(
        tmp_path_factory.mktemp("generous"), allow_local_images="true", container_credentials="true"
    )
    end = time.monotonic() + WAIT_SECONDS  # as long as the demo, which may run beside this, can have the address
    process.up()
    while "another emulator has 169.254.170.2" in process.log.read_text():
        process.down()
        if time.monotonic() > end:
            pytest.skip("another emulator of this machine serves containers at 169.254.170.2")
        process.log.unlink()
        process.up()
    process.s3.create_bucket(Bucket="samebox-test")
    yield process
    process.remove()


def test_a_container_gets_its_roles_credentials(generous: EmulatorProcess, box_image: str) -> None:
    script = """
from urllib.request import urlopen
address = "http://169.254.170.2" + os.environ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]
given = json.load(urlopen(address, timeout=60))
print(json.dumps({"role": given["RoleArn"], "key": given["AccessKeyId"], "members": sorted(given)}))
"""
    generous.train("credentials", box_image, script)
    assert generous.ended("credentials")["TrainingJobStatus"] == "Completed", generous.log_lines("credentials/")
    said = json.loads(generous.log_lines("credentials/")[0])
    assert said["role"] == ROLE
    assert said["key"].startswith("ASIA123456789012")
    assert said["members"] == ["AccessKeyId", "Expiration", "RoleArn", "SecretAccessKey", "Token"]


INTERMEDIATE = """
import boto3, pathlib, time
pathlib.Path("/opt/ml/output/intermediate/plots").mkdir()
pathlib.Path("/opt/ml/output/intermediate/plots/loss.txt").write_text("0.25")
for _ in range(600):
    found = boto3.client("s3").list_objects_v2(Bucket="samebox-test", Prefix="runs/").get("Contents", [])
    if found:
        break
    time.sleep(0.1)
print("while it runs:", *(one["Key"] for one in found))
"""


def test_intermediate_output_is_in_s3_before_the_program_has_ended(generous: EmulatorProcess) -> None:
    """The toolkit in the train image uploads it, with the credentials of the job's role."""
    generous.s3.put_object(Bucket="samebox-test", Key="code/train.py", Body=INTERMEDIATE.encode())
    toolkit = {
        "program": "train.py",
        "submit_directory": "/opt/ml/input/data/code",
        "s3_output": "s3://samebox-test/runs",
    }
    generous.train(
        "intermediate", "samebox/train:cpu", "",
        HyperParameters={f"sagemaker_{name}": json.dumps(value) for name, value in toolkit.items()},
        InputDataConfig=[channel("code", "s3://samebox-test/code/")],
    )  # fmt: skip
    job, lines = generous.ended("intermediate"), generous.log_lines("intermediate/")
    assert job["TrainingJobStatus"] == "Completed", "\n".join(lines[-30:])
    (line,) = (line for line in lines if line.startswith("while it runs:"))
    assert line.endswith("/output/intermediate/plots/loss.txt")


def test_a_container_that_serves_gets_the_credentials_of_its_models_role(
    generous: EmulatorProcess, box_image: str
) -> None:
    script = """
from urllib.request import urlopen
def invoke(body, headers):
    address = "http://169.254.170.2" + os.environ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]
    return 200, json.load(urlopen(address, timeout=60))["RoleArn"].encode()
"""
    generous.serve("serving", box_image, script)
    answer = generous.runtime.invoke_endpoint(EndpointName="serving", Body=b"whose")
    assert answer["Body"].read().decode() == ROLE
    # Its container would keep the network when the emulator ends.
    generous.sagemaker.delete_endpoint(EndpointName="serving")
    until(lambda: not generous.sagemaker.list_endpoints()["Endpoints"], WAIT_SECONDS, "the endpoint is gone")


def test_boto3_in_a_container_finds_credentials_and_the_emulator_by_itself(generous: EmulatorProcess) -> None:
    generous.s3.put_object(Bucket="samebox-test", Key="greeting", Body=b"from outside")
    program = (
        "import boto3; print(boto3.client('s3').get_object(Bucket='samebox-test', Key='greeting')['Body'].read()); "
        "print(boto3.client('sts').get_caller_identity()['Account'])"
    )
    algorithm = {
        "TrainingImage": "samebox/train:cpu",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["python3"],
        "ContainerArguments": ["-c", program],
    }
    environment = {"AWS_DEFAULT_REGION": "us-east-1"}
    generous.train("inside", "", "", AlgorithmSpecification=algorithm, Environment=environment)
    assert generous.ended("inside")["TrainingJobStatus"] == "Completed", generous.log_lines("inside/")
    assert generous.log_lines("inside/") == ["b'from outside'", "123456789012"]


@pytest.fixture(scope="module")
def second(generous: EmulatorProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """Another emulator beside it, which cannot have 169.254.170.2, as one that is not root cannot."""
    process = EmulatorProcess(
        tmp_path_factory.mktemp("second"), allow_local_images="true", container_credentials="true"
    )
    process.up()
    process.s3.create_bucket(Bucket="samebox-test")
    yield process
    process.remove()


PROGRAM = """
import boto3, json, os, urllib.request
region = os.environ["AWS_REGION"]
session = boto3.Session(region_name=region)
arn = session.client("sts", endpoint_url=f"https://sts.{region}.amazonaws.com").get_caller_identity()["Arn"]
s3 = session.client("s3", endpoint_url=f"https://s3.{region}.amazonaws.com")
s3.put_object(Bucket="samebox-test", Key="v2/from-inside", Body=b"x" * 5_000_000)
jobs = session.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
session.client("cloudwatch").put_metric_data(Namespace="Mine", MetricData=[{"MetricName": "loss", "Value": 1.0}])
session.client("ecr", endpoint_url=f"https://api.ecr.{region}.amazonaws.com").describe_repositories()
parameter = session.client("ssm").get_parameter(Name="/mine/key", WithDecryption=True)["Parameter"]["Value"]
secret = session.client("secretsmanager").get_secret_value(SecretId="mine")["SecretString"]
print(json.dumps([arn, [one["TrainingJobName"] for one in jobs], parameter, secret]))
"""


@pytest.mark.parametrize("which", ["generous", "second"])
def test_code_that_names_addresses_of_aws_reaches_its_own_emulator(which: str, request: pytest.FixtureRequest) -> None:
    emulator: EmulatorProcess = request.getfixturevalue(which)
    algorithm = {
        "TrainingImage": "samebox/train:cpu",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["python3"],
        "ContainerArguments": ["/opt/ml/input/data/code/program.py"],
    }
    name = f"ways-{which}"
    emulator.s3.put_object(Bucket="samebox-test", Key="code/program.py", Body=PROGRAM.encode())
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://samebox-test/code"}}
    code = [{"ChannelName": "code", "DataSource": source}]
    emulator.client("ssm").put_parameter(Name="/mine/key", Type="SecureString", Value="of a parameter")
    emulator.client("secretsmanager").create_secret(Name="mine", SecretString="of a secret")
    emulator.train(name, "", "", AlgorithmSpecification=algorithm, InputDataConfig=code)
    assert emulator.ended(name)["TrainingJobStatus"] == "Completed", emulator.log_lines(f"{name}/")
    arn, jobs, *kept = json.loads(emulator.log_lines(f"{name}/")[-1])
    assert kept == ["of a parameter", "of a secret"]
    assert arn == f"{ROLE.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/SageMaker"
    assert name in jobs
    assert ("ways-generous" in jobs) == (which == "generous")
    assert emulator.s3.head_object(Bucket="samebox-test", Key="v2/from-inside")["ContentLength"] == 5_000_000


def test_a_server_of_a_second_emulator_reaches_it_with_keys_of_its_role(
    second: EmulatorProcess, box_image: str
) -> None:
    script = """
from urllib.request import urlopen
def invoke(body, headers):
    ready = json.load(urlopen(os.environ["AWS_ENDPOINT_URL"] + "/_samebox/ready", timeout=60))
    return 200, json.dumps([ready["ready"], os.environ["AWS_ACCESS_KEY_ID"][:16]]).encode()
"""
    second.serve("second", box_image, script)
    answer = second.runtime.invoke_endpoint(EndpointName="second", Body=b"whose")
    assert json.loads(answer["Body"].read()) == [True, "ASIA123456789012"]
    second.sagemaker.delete_endpoint(EndpointName="second")
    until(lambda: not second.sagemaker.list_endpoints()["Endpoints"], WAIT_SECONDS, "the endpoint is gone")


def test_an_isolated_container_gets_none(generous: EmulatorProcess, box_image: str) -> None:
    names = "('AWS_CONTAINER', 'AWS_ENDPOINT', 'AWS_ACCESS', 'AWS_CA', 'HTTPS_PROXY')"
    script = f"print([name for name in os.environ if name.startswith({names})], os.listdir('/sys/class/net'))"
    generous.train("isolated", box_image, script, EnableNetworkIsolation=True)
    assert generous.ended("isolated")["TrainingJobStatus"] == "Completed"
    assert generous.log_lines("isolated/") == ["[] ['lo']"]


def test_the_network_goes_with_the_emulator(generous: EmulatorProcess, second: EmulatorProcess) -> None:
    from tests.scenarios.emulator_process import docker

    for emulator in (second, generous):
        emulator.down()
        assert docker("network", "ls", "--quiet", "--filter", f"label=samebox={emulator.instance}") == ""
        emulator.up()
