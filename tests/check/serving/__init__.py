"""Tests of the checks that run a server."""
