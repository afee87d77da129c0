"""Do the train and the serve image agree? Does an image answer the recorded calls of an endpoint as the endpoint did?

`outputs` compares two responses in any format; `npy` reads arrays for it. `transcript` is the file format for recorded
calls of an endpoint; `replay` sends them to the image's own server and compares.

Like `check`, which starts the servers, this package needs no emulator: of the rest of samebox it imports `check` and
the data types of `samebox.containers.engine`.
"""
