"""Programs that run inside images: they may use only Python 3.6 and its standard library.

The command never imports them; their source is mounted, read-only, and run with the image's own interpreter.
"""
