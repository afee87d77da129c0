"""Numbered steps from each schema of the store to the next: NNNN_what.sql, or NNNN_what.py with `migrate(connection)`.

A step that is released is never changed. migration.py runs them.
"""
