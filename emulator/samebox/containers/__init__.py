"""Containers: an engine to run them, the instances they stand for, and when a server in one is ready."""
