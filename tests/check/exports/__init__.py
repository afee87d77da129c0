"""Tests of what is written for other tools: by structure, and by having them run."""
