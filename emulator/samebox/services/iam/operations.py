"""The operations of IAM."""

from samebox.services.context import Operation
from samebox.services.iam import instance_profiles, policies, questions, roles

OPERATIONS: dict[str, Operation] = {
    **questions.OPERATIONS,
    **roles.OPERATIONS,
    **policies.OPERATIONS,
    **instance_profiles.OPERATIONS,
}
