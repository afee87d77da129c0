"""The composition root: builds the parts of an emulator and joins them. No part imports it.

`emulator` has the order, a module each of the others builds one part.
"""
