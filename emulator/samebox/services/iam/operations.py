"""The operations of IAM."""

from samebox.services.context import Operation
from samebox.services.iam import policies, questions, roles

OPERATIONS: dict[str, Operation] = {**questions.OPERATIONS, **roles.OPERATIONS, **policies.OPERATIONS}
