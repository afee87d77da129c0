"""Programs of ours that run inside images: Python 3.6 and the standard library are all that they may count on.

They are never imported by the command; their text is mounted, read-only, and run with the image's own interpreter.
"""
