"""CloudWatch: metrics that are published and read, metric math, and alarms that are evaluated by a timer."""
