"""The measurements behind `scripts/bench`: ours against the bare limit and the peer, in one run on one machine."""
