"""IAM: roles and policies, and whether a policy allows an action where that is asked for."""
