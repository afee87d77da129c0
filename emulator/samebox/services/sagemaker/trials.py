"""Trials and their components: many to many, as relations from a component to its trials."""

from typing import Any

from samebox.errors import ResourceNotFound
from samebox.resources.kind import Kind
from samebox.resources.query import EVERYTHING, And, Expression, Related
from samebox.resources.store import AlreadyThere, Changed, Relation, Resource
from samebox.resources.stored_kinds import EXPERIMENT, TRIAL, TRIAL_COMPONENT
from samebox.services.context import Operation, Services
from samebox.wire.caller import Caller

# No word of AWS's: what a client can ask of a component's trials is never its type.
COMPONENT_OF = "ComponentOf"


def associate(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """AssociateTrialComponent; twice is as good as once."""
    while True:
        component, trial = _ends(services, params, caller)
        relation = Relation(component.arn, COMPONENT_OF, trial.arn, services.clock())
        try:
            services.resources.store.relate(relation)
        except Changed:
            continue  # one of them went meanwhile
        except AlreadyThere:
            pass  # choice: AWS's answer is not known
        return {"TrialComponentArn": component.arn, "TrialArn": trial.arn}


def disassociate(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """DisassociateTrialComponent."""
    component, trial = _ends(services, params, caller)
    if not services.resources.store.unrelate(component.arn, COMPONENT_OF, trial.arn):
        # Choice: AWS's words are not known.
        raise ResourceNotFound(f"TrialComponent '{component.arn}' is not associated with Trial '{trial.arn}'.")
    return {"TrialComponentArn": component.arn, "TrialArn": trial.arn}


def list_trials(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """ListTrials: those of an experiment, those of a component, or all."""
    component = _named(services, TRIAL_COMPONENT, caller, params.pop("TrialComponentName", None))
    where: Expression = Related(COMPONENT_OF, component.arn, as_target=True) if component else EVERYTHING
    experiment = _named(services, EXPERIMENT, caller, params.pop("ExperimentName", None))
    if experiment is not None:
        params["ExperimentName"] = experiment.name
    return services.resources.page(TRIAL, caller, params, where)


def list_components(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """ListTrialComponents: those of a trial, those of all trials of an experiment, or all."""
    where: list[Expression] = []
    trial = _named(services, TRIAL, caller, params.pop("TrialName", None))
    if trial is not None:
        where.append(Related(COMPONENT_OF, trial.arn))
    experiment = _named(services, EXPERIMENT, caller, params.pop("ExperimentName", None))
    if experiment is not None:
        where.append(Related(COMPONENT_OF, experiment.arn, to_parts=True))
    return services.resources.page(TRIAL_COMPONENT, caller, params, And(*where))


def _ends(services: Services, params: dict[str, Any], caller: Caller) -> tuple[Resource, Resource]:
    component = services.resources.named(TRIAL_COMPONENT, caller, params)
    return component, services.resources.named(TRIAL, caller, params)


def _named(services: Services, kind: Kind, caller: Caller, name: str | None) -> Resource | None:
    return None if name is None else services.resources.named(kind, caller, {f"{kind.noun}Name": name})


OPERATIONS: dict[str, Operation] = {
    "AssociateTrialComponent": associate,
    "DisassociateTrialComponent": disassociate,
    "ListTrials": list_trials,
    "ListTrialComponents": list_components,
}
