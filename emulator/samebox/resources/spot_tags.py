"""Tags of a managed spot training job that order its interruptions."""

# The first interrupts the job at once, again with each new value; `samebox spot interrupt` sets it.
NOW_TAG = "samebox:spot-interrupt"
AFTER_TAG = "samebox:spot-interrupt-after"  # "30 60": seconds of training of the first and the second attempt
AT_TAG = "samebox:spot-interrupt-at"  # a text of a log line
