"""A zoo of images and archives, each of which breaks one rule of the contract kit, and sound ones that break none.

`zoo.py` says what lives here and how it is made. Each subject has a module with two tables, BROKEN and SOUND:
`archives.py` (only read), `training.py`, `artifacts.py`, … `test_zoo.py` joins them in ANIMALS and looks at each.
"""
