"""Formats of a report: a table, a page, and machine-readable files."""
