"""The predictions of two images for the same inputs: in a container of each, and through an endpoint."""

from dataclasses import replace

from rich.status import Status

from samebox.check.checks import CannotCheck, Context
from samebox.check.subject import Subject
from samebox.commands import aws, invocations, model_archive, private_emulator, repository, where
from samebox.commands.local_docker import LocalImage
from samebox.commands.parity_options import ParityOptions
from samebox.parity import inventory, predict
from samebox.parity.inventory import Inventory
from samebox.parity.predict import Predicted, Task

_LEAST_PATIENCE = 120.0  # seconds, with an endpoint that does not come into service


def predictions(
    options: ParityOptions,
    subjects: tuple[Subject, Subject],
    inventories: tuple[Inventory, Inventory],
    context: Context,
    status: Status,
) -> tuple[list[Predicted], list[str]]:
    if not options.inputs:
        return [], []
    names = [one.image for one in inventories]
    for subject in subjects:
        if subject.reference is None or context.engine is None:
            why = context.why_no_engine or "an archive is read and not run: load it into an engine first (docker load)"
            return [Predicted(other, problem=why) for other in names], []
    assert context.scratch is not None
    model = None
    if options.model is not None:
        status.update(f"unpacking {options.model.name}")
        model = context.scratch / "model"
        try:
            model_archive.unpack(options.model, model)
        except CannotCheck as reason:
            return [Predicted(name, problem=f"{reason}; an endpoint would refuse it, too") for name in names], []
    task = Task(options.inputs, model, options.command, dict(options.environment), options.seconds)
    predicted = []
    for subject, name in zip(subjects, _distinct(names), strict=True):

        def tick(spent: float, name: str = name) -> None:
            status.update(f"predicting in {name}: {spent:.0f} s")

        tick(0)
        reference = str(subject.reference)
        if options.command:
            found = predict.by_command(context, reference, task, tick)
        else:
            program = "serve" if subject is subjects[1] else "train"
            found = predict.by_driver(context, reference, inventory.interpreter(subject, program), task, tick)
        predicted.append(replace(found, place=name))
    if not options.endpoint:
        return predicted, []
    if "serve" not in inventories[1].claims:
        return predicted, [f"{names[1]} has no `serve` on its PATH: no endpoint was tried"]
    if all(one.problem for one in predicted):
        return predicted, ["no endpoint was tried: there is nothing to compare its answers with"]
    # A server may take longer than the driver did, and yet not as long as the platform would wait for it.
    patience = min(options.seconds, max(_LEAST_PATIENCE, 20 * predicted[1].seconds))
    return [*predicted, _through_endpoint(options, subjects[1], patience, context, status)], []


def _through_endpoint(
    options: ParityOptions, subject: Subject, patience: float, context: Context, status: Status
) -> Predicted:
    """Through an emulator: the running one, or one for this alone."""
    assert context.scratch is not None

    def ask(session: aws.Session, image: str) -> Predicted:
        return invocations.predict(
            session, image, options.model, options.inputs, dict(options.environment), patience, status.update
        )

    try:
        if options.emulator:
            is_here = subject.facts is not None and where.is_here(where.url(options.data_dir))
            return ask(aws.of_running(options.data_dir), _by_id(subject) if is_here else subject.name)
        status.update("starting an emulator")
        with private_emulator.started(context.scratch / "emulator") as settings:
            found = ask(aws.of_emulator(settings.url, settings), subject.name)
            status.update("ending the emulator")
            return found
    except (aws.ClientError, aws.BotoCoreError) as error:
        hint = (
            " (an emulator takes images of the engine with SAMEBOX_ALLOW_LOCAL_IMAGES=true)" if options.emulator else ""
        )
        return Predicted(invocations.PLACE, problem=f"{aws.words(error)}{hint}")
    except private_emulator.NotStarted as problem:
        first, _, rest = str(problem).partition("\n")
        return Predicted(invocations.PLACE, problem=first.rstrip(":"), log=tuple(rest.splitlines()))


def _by_id(subject: Subject) -> str:
    assert subject.facts is not None
    return repository.by_id(LocalImage(subject.name, subject.facts.id, subject.facts.size_bytes))


def _distinct(names: list[str]) -> list[str]:
    """One image compared with itself is two places."""
    return [f"{names[0]} (train)", f"{names[1]} (serve)"] if names[0] == names[1] else names
