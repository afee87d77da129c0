"""Checks that train: what they are made of. What they say of images is tested in tests/check/fixtures."""
