#!/usr/bin/env python3
"""Trains a small Keras network on handwritten digits. The same file runs in three places:

    python train.py --epochs 12                                     on a machine that has TensorFlow
    docker run -v $PWD:/work -w /work samebox/train:cpu python train.py   in the train image
    CreateTrainingJob                                               as a SageMaker job, on AWS or against samebox

Where Python has no TensorFlow, the file hands itself to `samebox train`, which runs it in the train image.

Data: CSV files without header, label first, then 64 grey values 0..16 (8 x 8 pixels), in the channels `train` (or
`training`) and `test` (or `validation`, `eval`); or .npz files with arrays x and y. Without any data: the 1,797 digits
that ship with scikit-learn.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import signal
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

PIXELS = 64
CLASSES = 10
HANDED_OVER = "TRAIN_HANDED_OVER"  # not SAMEBOX_…: those are settings, and an unknown one is refused


def arguments() -> argparse.Namespace:
    environment = os.environ
    parser = argparse.ArgumentParser(description="Train a small Keras network on handwritten digits.")
    parser.add_argument("--epochs", type=positive, default=12)
    # Hyperparameters come with either spelling: SageMaker passes the names as they are.
    parser.add_argument("--batch-size", "--batch_size", type=positive, default=32)
    parser.add_argument("--learning-rate", "--learning_rate", type=float, default=0.002)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--model-dir",
        "--model_dir",
        type=Path,
        default=Path(environment.get("SM_MODEL_DIR", "./model")),
        help="where the SavedModel goes, as <model-dir>/1",
    )
    parser.add_argument(
        "--train",
        type=Path,
        default=channel("TRAIN", "TRAINING", local="./data/train"),
        help="folder (or file) with the training data",
    )
    parser.add_argument(
        "--test",
        type=Path,
        default=channel("TEST", "VALIDATION", "EVAL", local="./data/test"),
        help="folder (or file) with the held-out data; without it a fifth of the training data",
    )
    parser.add_argument(
        "--checkpoint-dir",
        "--checkpoint_dir",
        type=Path,
        default=checkpoint_folder(),
        help="written after each epoch and resumed from, if the folder exists",
    )
    parser.add_argument(
        "--output-data-dir",
        "--output_data_dir",
        type=Path,
        default=Path(environment["SM_OUTPUT_DATA_DIR"]) if "SM_OUTPUT_DATA_DIR" in environment else None,
        help="where metrics.json goes, if anywhere",
    )
    return parser.parse_args()


def channel(*names: str, local: str) -> Path:
    return next(
        (Path(os.environ[f"SM_CHANNEL_{name}"]) for name in names if f"SM_CHANNEL_{name}" in os.environ), Path(local)
    )


def checkpoint_folder() -> Path:
    """CheckpointConfig.LocalPath of the job. No environment variable tells it."""
    try:
        return Path(json.loads(Path("/opt/ml/input/config/checkpointconfig.json").read_text())["LocalPath"])
    except (OSError, ValueError, KeyError):
        return Path("/opt/ml/checkpoints")


def positive(text: str) -> int:
    # A float with no fraction is what a hyperparameter tuner or a JSON encoder makes of a whole number.
    number = float(text)
    if number < 1 or number != int(number):
        raise argparse.ArgumentTypeError(f"{text} is not a whole number above 0")
    return int(number)


def main() -> int:
    options = arguments()
    if importlib.util.find_spec("tensorflow") is None:
        return hand_over()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return Training(options).run()


# ---------------------------------------------------------------------------------------------- without TensorFlow


def hand_over() -> int:
    """Replace this process by `samebox train`, which runs the same file with the same arguments in the train image."""
    if os.environ.get(HANDED_OVER):
        print("train.py: the image that `samebox train` chose has no TensorFlow either", file=sys.stderr)
        return 1
    samebox = find_samebox()
    if samebox is None:
        print(
            "train.py: this Python has no TensorFlow, and there is no `samebox` command to run the train image with.\n"
            "Install one: pip install 'tensorflow-cpu==2.11.1' (Python 3.8 to 3.10), or samebox (scripts/setup)",
            file=sys.stderr,
        )
        return 1
    print(f"train.py: no TensorFlow here, so {samebox} train runs it in the train image", flush=True)
    os.environ[HANDED_OVER] = "1"
    os.execv(samebox, [samebox, "train", sys.argv[0], *sys.argv[1:]])
    return 1  # never reached: execv replaced the process, or raised


def find_samebox() -> str | None:
    """The command in .venv/bin here or beside this file (upwards), beside this Python, or on PATH."""
    here = Path(__file__).resolve().parent
    folders = [Path.cwd(), *Path.cwd().parents, here, *here.parents]
    beside = [folder / ".venv" / "bin" / "samebox" for folder in folders] + [Path(sys.executable).parent / "samebox"]
    found = next((str(path) for path in beside if os.access(path, os.X_OK)), None)
    return found or shutil.which("samebox")


# ----------------------------------------------------------------------------------------------------------- data


def load_data(options: argparse.Namespace) -> tuple[Any, Any, Any, Any]:
    """x_train, y_train, x_test, y_test; pixels as float32 0..16, labels as int64."""
    if not has_files(options.train):
        print(f"no data in {options.train}: using the 1,797 digits that ship with scikit-learn", flush=True)
        from sklearn.datasets import load_digits

        return split(*load_digits(return_X_y=True), options.seed)
    x_train, y_train = read(options.train)
    if has_files(options.test):
        return x_train, y_train, *read(options.test)
    print(f"no data in {options.test}: holding out a fifth of the training data", flush=True)
    return split(x_train, y_train, options.seed)


def has_files(path: Path) -> bool:
    return path.is_file() or (path.is_dir() and any(data_files(path)))


def data_files(path: Path) -> list[Path]:
    """The data files of a channel. A file name without ending counts as CSV: S3 keys often have none."""
    if path.is_file():
        return [path]
    return sorted(
        file
        for file in path.rglob("*")
        if file.is_file() and not file.name.startswith((".", "_")) and file.suffix.lower() in ("", ".csv", ".npz")
    )


def read(path: Path) -> tuple[Any, Any]:
    import numpy

    pixels, labels = [], []
    for file in data_files(path):
        if file.suffix.lower() == ".npz":
            with numpy.load(file) as arrays:
                x, y = arrays["x"], arrays["y"]
        else:
            try:
                table = numpy.loadtxt(file, delimiter=",", ndmin=2)
            except ValueError as error:
                raise SystemExit(f"{file} is not CSV of numbers without a header (label first): {error}") from None
            x, y = table[:, 1:], table[:, 0]
        x = x.reshape(len(x), -1)
        if x.shape[1] != PIXELS:
            raise SystemExit(f"{file} has {x.shape[1]} values per digit beside the label; {PIXELS} were expected")
        pixels.append(x)
        labels.append(y)
    return numpy.concatenate(pixels).astype("float32"), numpy.concatenate(labels).astype("int64")


def split(x: Any, y: Any, seed: int) -> tuple[Any, Any, Any, Any]:
    from sklearn.model_selection import train_test_split

    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=seed, stratify=y)
    return x_train.astype("float32"), y_train.astype("int64"), x_test.astype("float32"), y_test.astype("int64")


# ------------------------------------------------------------------------------------------------------- training


class Training:
    """One run: from the last checkpoint, or from the beginning, to a SavedModel."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.stop_signal: int | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

        import tensorflow

        self.tf = tensorflow
        self.hvd = horovod()
        self.rank, self.size = (self.hvd.rank(), self.hvd.size()) if self.hvd else (0, 1)
        self.is_first = self.rank == 0
        tensorflow.keras.utils.set_random_seed(options.seed + self.rank)
        self.checkpoints = Checkpoints(options.checkpoint_dir)

    def run(self) -> int:
        options = self.options
        x_train, y_train, x_test, y_test = load_data(options)
        self.say(f"training on {len(x_train)} digits, held out {len(x_test)}; processes {self.size}")
        model = self.build()
        first_epoch = self.restore(model)
        if first_epoch:
            self.say(f"resuming from {self.checkpoints.folder} after epoch {first_epoch}")

        loss, val_accuracy = float("nan"), float("nan")
        for epoch in range(first_epoch, options.epochs):
            began = time.monotonic()
            finished, metrics = self.epoch(model, x_train, y_train, epoch)
            loss = metrics["loss"]
            if finished:
                val_loss, val_accuracy = model.evaluate(x_test, y_test, batch_size=256, verbose=0)
                self.say(
                    f"epoch={epoch + 1} loss={loss:.4f} accuracy={metrics['accuracy']:.4f} "
                    f"val_loss={val_loss:.4f} val_accuracy={val_accuracy:.4f} seconds={time.monotonic() - began:.2f}"
                )
            if self.is_first:
                self.checkpoints.save(model, epoch + 1 if finished else epoch)
            if not finished:
                break

        if self.is_first:
            self.save(model, x_test, y_test)
        if self.stop_signal is not None:
            self.say(f"stopped by {signal.Signals(self.stop_signal).name}: checkpoint and model are saved")
        return 0

    def build(self) -> Any:
        """Takes the 64 grey values as they are in the CSV, so that an endpoint needs no preprocessing."""
        keras = self.tf.keras
        model = keras.Sequential(
            [
                keras.layers.Input((PIXELS,), name="pixels"),
                keras.layers.Rescaling(1 / 16),
                keras.layers.Reshape((8, 8, 1)),
                keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
                keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
                keras.layers.MaxPooling2D(),
                keras.layers.Conv2D(64, 3, padding="same", activation="relu"),
                keras.layers.Flatten(),
                keras.layers.Dropout(0.3),
                keras.layers.Dense(CLASSES, activation="softmax", name="probabilities"),
            ]
        )
        # More processes see more digits per step; the rate grows with them.
        optimizer = keras.optimizers.Adam(self.options.learning_rate * self.size)
        if self.hvd:
            optimizer = self.hvd.DistributedOptimizer(optimizer)
        model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        optimizer.build(model.trainable_variables)
        return model

    def restore(self, model: Any) -> int:
        """The number of epochs behind us. The first process decides: the others may see other checkpoints, or none."""
        first_epoch = self.checkpoints.restore(model) if self.is_first else 0
        if self.hvd:
            first_epoch = int(self.hvd.broadcast_object(first_epoch, root_rank=0))
            self.hvd.broadcast_variables([*model.variables, *model.optimizer.variables()], root_rank=0)
        return first_epoch

    def epoch(self, model: Any, x: Any, y: Any, epoch: int) -> tuple[bool, dict[str, float]]:
        """One pass over this process's share of the data. False when a signal cut it short."""
        order = self.tf.random.experimental.stateless_shuffle(
            self.tf.range(len(x)), seed=[self.options.seed, epoch]
        ).numpy()[self.rank :: self.size]
        # Every process takes the same number of steps, or the last one would wait for the others for ever.
        order = order[: len(x) // self.size]
        model.reset_metrics()
        metrics: dict[str, float] = {"loss": float("nan"), "accuracy": float("nan")}
        for start in range(0, len(order), self.options.batch_size):
            batch = order[start : start + self.options.batch_size]
            metrics = model.train_on_batch(x[batch], y[batch], reset_metrics=False, return_dict=True)
            if self.should_stop():
                return False, metrics
        return True, metrics

    def should_stop(self) -> bool:
        """All processes stop after the same batch: one that went on alone would wait for the others for ever."""
        if not self.hvd or self.size == 1:
            return self.stop_signal is not None
        told = self.hvd.allreduce(self.tf.constant(1.0 if self.stop_signal else 0.0), op=self.hvd.Sum, name="stop")
        return bool(float(told) > 0)

    def save(self, model: Any, x_test: Any, y_test: Any) -> None:
        """<model-dir>/1 appears whole or not at all: a stop may leave no time to finish."""
        _, accuracy = model.evaluate(x_test, y_test, batch_size=256, verbose=0)
        self.say(f"test_accuracy={accuracy:.4f} on {len(x_test)} held-out digits")
        folder = self.options.model_dir
        folder.mkdir(parents=True, exist_ok=True)
        part, final = folder / ".part", folder / "1"
        shutil.rmtree(part, ignore_errors=True)
        model.save(part, include_optimizer=False)
        shutil.rmtree(final, ignore_errors=True)
        part.rename(final)
        self.say(f"saved the model in {final}")
        if self.options.output_data_dir:
            self.options.output_data_dir.mkdir(parents=True, exist_ok=True)
            report = {"test_accuracy": accuracy, "held_out": len(x_test), "epochs": self.options.epochs}
            (self.options.output_data_dir / "metrics.json").write_text(json.dumps(report) + "\n")

    def say(self, sentence: str) -> None:
        if self.is_first:
            # In one write, which print's is not where output is unbuffered: mpirun tags what it reads in one piece.
            sys.stdout.write(sentence + "\n")
            sys.stdout.flush()

    def _on_signal(self, number: int, _frame: object) -> None:
        self.stop_signal = number


def horovod() -> Any:
    """Horovod, where mpirun or horovodrun started more than one process; None elsewhere."""
    if not any(name in os.environ for name in ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "HOROVOD_SIZE")):
        return None
    import horovod.tensorflow as hvd
    import tensorflow

    hvd.init()
    gpus = tensorflow.config.list_physical_devices("GPU")
    if gpus:
        tensorflow.config.set_visible_devices(gpus[hvd.local_rank() % len(gpus)], "GPU")
    return hvd


class Checkpoints:
    """One file per checkpoint: renamed into place, so that whoever copies the folder to S3 never sees half of one."""

    KEEP = 2

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def restore(self, model: Any) -> int:
        """Load the newest checkpoint that can be read; returns the number of epochs it has behind it."""
        import numpy

        for path in self._newest_first():
            try:
                with numpy.load(path) as arrays:
                    values = [arrays[f"v{index}"] for index in range(len(arrays.files) - 1)]
                    epoch = int(arrays["epoch"])
            except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
                print(f"ignoring checkpoint {path}: {error}", flush=True)
                continue
            variables = self._variables(model)
            if [value.shape for value in values] != [tuple(variable.shape) for variable in variables]:
                print(f"ignoring checkpoint {path}: it is of another model", flush=True)
                continue
            for index, variable in enumerate(variables):
                variable.assign(values[index])
            return epoch
        return 0

    def save(self, model: Any, epoch: int) -> None:
        import numpy

        if not self.folder.is_dir():
            return
        part = self.folder / ".part"
        values = {f"v{index}": variable.numpy() for index, variable in enumerate(self._variables(model))}
        with part.open("wb") as file:
            numpy.savez(file, epoch=epoch, **values)
            file.flush()
            os.fsync(file.fileno())
        part.rename(self.folder / f"epoch-{epoch:05d}.npz")
        for old in self._newest_first()[self.KEEP :]:
            old.unlink(missing_ok=True)

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob("epoch-*.npz"), reverse=True) if self.folder.is_dir() else []

    @staticmethod
    def _variables(model: Any) -> list[Any]:
        return [*model.variables, *model.optimizer.variables()]


if __name__ == "__main__":
    sys.exit(main())
