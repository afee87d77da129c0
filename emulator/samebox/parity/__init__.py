"""Do train and serve agree? And does an image answer as the endpoint did whose calls were recorded?

`outputs` compares two answers, whatever form they have; `npy` reads arrays for it. `transcript` is the form in which
calls of an endpoint are kept, `replay` sends them to an image's own server and compares.

Like `check`, from which it has its way to start servers, this room needs no emulator: of the rest of the package it
imports `check` and the data types of `samebox.containers.engine`.
"""
