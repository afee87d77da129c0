"""Tests of the checks that process."""
