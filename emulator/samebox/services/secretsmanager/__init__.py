"""Secrets Manager: secrets with versions and stages, deleted after a while or at once."""
