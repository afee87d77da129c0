"""What some nouns that are only stored answer or refuse beyond what every noun does."""

from typing import Any

from samebox.resources.stored_kinds import ALGORITHM, WORKTEAM
from samebox.services.context import Operation, Services
from samebox.services.members.tables import refuse
from samebox.wire.caller import Caller


def create_algorithm(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """CreateAlgorithm; one that would be validated by jobs is refused."""
    refuse("sagemaker", "CreateAlgorithm", params)
    return services.resources.present(services.resources.create(ALGORITHM, caller, params))


def delete_workteam(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """DeleteWorkteam, which alone of its like says that it succeeded."""
    services.resources.delete(services.resources.named(WORKTEAM, caller, params))
    return {"Success": True}


OPERATIONS: dict[str, Operation] = {"CreateAlgorithm": create_algorithm, "DeleteWorkteam": delete_workteam}
