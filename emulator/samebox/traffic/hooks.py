"""What an invocation may need before it reaches a container: one that has to come first, or a model that is loaded.

Nothing here is needed for an endpoint whose containers run, with one model each.
"""

from typing import Protocol

from samebox.traffic.routes import Address, Route, Target


class Activator(Protocol):
    """Has containers come for a variant that has none, as a serverless or scaled-in one."""

    async def activate(self, route: Route, target: Target) -> None:
        """Have one come, and return when the routing table names it. The wait is bounded by the caller."""


class ModelLoader(Protocol):
    """Has a model loaded into a container of a multi-model variant."""

    async def load(self, route: Route, target: Target, model: str) -> tuple[Address, bytes]:
        """The container that has the model, and the path to invoke it at. Raises AwsError where it has none."""
