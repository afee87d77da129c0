"""One training job: find the program, install its requirements, run it, report how it ended.

The steps and the messages are sagemaker-training's; its `trainer.train` is replaced because of what it does on the way:
imports TensorFlow only to know the names of its errors (4 s), turns every exit code into 1, leaves the error out of the
failure file, and ends with 0 when that file cannot be written or an OSError has no number.

The exit code is the user's own (128 + N for a death by signal N): SageMaker shows it as
`AlgorithmError: <failure file>, exit code: N` (contract.md §1.7), and with the toolkit's constant 1 a job killed for
memory (137) would look like one with a bug.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagemaker_training import _entry_point_type, environment, errors, files, logging_config, modules, params

from samebox_train import failure, hosts, launches, processes
from samebox_train.signals import say

if TYPE_CHECKING:
    from samebox_train.signals import Signals

SAMPLE = Path(__file__).resolve().parent.parent / "train.py"
OUT_OF_MEMORY = "OutOfMemory: Process killed by SIGKILL (signal 9)"


class ScriptFailed(Exception):
    """The user's program ended with something else than 0."""

    def __init__(self, finished: processes.Finished) -> None:
        super().__init__(f"exit code {finished.code}")
        self.finished = finished


def run(signals: Signals) -> int:
    """Run the job and return the exit code of the container."""
    output = Path(environment.output_dir)
    kills_before = processes.out_of_memory_kills()
    sync = None
    try:
        _check_configuration()
        _choose_program()
        training = environment.Environment()
        sync = _start_intermediate_sync(training)
        _train(training, signals)
    except ScriptFailed as failed:
        finished = failed.finished
        if signals.received is not None and finished.code == 128 + signals.received:
            say(f"the training process was stopped: exit code {finished.code}")
            return finished.code
        ran_out = finished.code == 137 and processes.out_of_memory_kills() > kills_before
        text = failure.script_text(finished, OUT_OF_MEMORY if ran_out else None)
        code = finished.code
    except errors.ClientError as error:
        text, code = failure.client_text(str(error)), 1
        say(text)
    except Exception as error:  # the outermost place of this program: whatever it is, the job must fail with words
        text, code = failure.framework_text(traceback.format_exc()), _number_of(error)
        traceback.print_exc()
    else:
        text, code = None, 0
    say(f"training ended with exit code {code}")
    if text is None:
        _write_success(output)
    else:
        failure.write(output / "failure", text)
    if sync is not None:
        # It ends by itself once one of the two files is there and everything is uploaded.
        sync.join(timeout=60)
    return code


def _check_configuration() -> None:
    for path in (
        environment.hyperparameters_file_dir,
        environment.input_data_config_file_dir,
        environment.resource_config_file_dir,
    ):
        if not os.path.isfile(path):
            raise errors.ClientError(
                f"{path} is missing: `train` is what a SageMaker training job starts, with its /opt/ml tree in place. "
                "To run a script by hand: docker run -v $PWD:/work -w /work IMAGE python train.py"
            )


def _choose_program() -> None:
    """Without sagemaker_program or SAGEMAKER_PROGRAM: /opt/ml/code/train.py, else the sample of the image."""
    named = environment.read_hyperparameters().get(params.USER_PROGRAM_PARAM)
    if named or os.environ.get(params.USER_PROGRAM_ENV) or os.environ.get(params.FRAMEWORK_TRAINING_MODULE_ENV):
        return
    own = Path(environment.code_dir) / "train.py"
    chosen = "train.py" if own.is_file() else str(SAMPLE)
    say(f"no sagemaker_program and no SAGEMAKER_PROGRAM: running {own if own.is_file() else SAMPLE}")
    os.environ[params.USER_PROGRAM_ENV] = chosen


def _train(training: environment.Environment, signals: Signals) -> None:
    logging_config.configure_logger(training.log_level)
    if training.framework_module:
        module, _, function = training.framework_module.partition(":")
        getattr(importlib.import_module(module), function)()
        return
    entry_point, arguments, variables = training.user_entry_point, training.to_cmd_args(), dict(training.to_env_vars())
    code = environment.code_dir
    files.download_and_extract(_submit_directory(training), code)
    _install(entry_point, code, signals)
    environment.write_env_vars(variables)
    # Without it the user's prints sit in a buffer and neither logs nor metrics move while the job runs.
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    if os.environ.get("SM_STUDIO_LOCAL_MODE", "").lower() != "true":
        hosts.wait_until_resolvable(training.hosts)
    finished = launches.run(training, entry_point, arguments, variables, signals)
    if finished.code != 0:
        raise ScriptFailed(finished)


def _submit_directory(training: environment.Environment) -> str:
    # The toolkit reads SAGEMAKER_SUBMIT_DIRECTORY and then overwrites it with its default.
    if training.module_dir == environment.code_dir:
        return os.environ.get(params.SUBMIT_DIR_ENV, environment.code_dir)
    return str(training.module_dir)


def _install(entry_point: str, code: str, signals: Signals) -> None:
    """The user's requirements.txt, package or script mode bit, as the toolkit's entry_point.install."""
    if code not in sys.path:
        sys.path.insert(0, code)
    kind = _entry_point_type.get(code, entry_point)
    if kind is _entry_point_type.PYTHON_PACKAGE:
        modules.install(code)
    elif kind is _entry_point_type.PYTHON_PROGRAM and modules.has_requirements(code):
        _install_requirements(code, signals)
    elif kind is _entry_point_type.COMMAND:
        path = os.path.join(code, entry_point)
        if not os.path.isfile(path):
            raise errors.ClientError(f"the program {entry_point} is not in {code}")
        os.chmod(path, 0o777)


def _install_requirements(code: str, signals: Signals) -> None:
    """As the toolkit's modules.install_requirements, with pip's own words in the error."""
    say("installing requirements.txt")
    command = [sys.executable, "-m", "pip", "install", "-r", "requirements.txt"]
    if os.getenv(modules.CA_REPOSITORY_ARN_ENV):
        command += ["-i", modules._get_codeartifact_index()]
    finished = processes.run_before(command, code, signals)
    if finished.code != 0:
        raise errors.ClientError(failure.script_text(finished, name="InstallRequirementsError"))


def _start_intermediate_sync(training: environment.Environment) -> Any:
    if not training.sagemaker_s3_output():
        return None
    from sagemaker_training import intermediate_output  # imports what only /opt/ml/output/intermediate needs

    region = os.environ.get("AWS_REGION", os.environ.get(params.REGION_NAME_ENV))
    return intermediate_output.start_sync(
        training.sagemaker_s3_output(), region, endpoint_url=os.environ.get(params.S3_ENDPOINT_URL)
    )


def _write_success(output: Path) -> None:
    try:
        (output / "success").write_text("")
    except OSError as error:
        say(f"could not write {output / 'success'}: {error}")


def _number_of(error: Exception) -> int:
    number = getattr(error, "errno", None)
    return number if isinstance(number, int) and 0 < number < 256 else 1
