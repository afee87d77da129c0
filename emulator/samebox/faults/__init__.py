"""Faults on request: what AWS cannot be asked to do, this emulator does, and each does the same every time."""
