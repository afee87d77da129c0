"""EventBridge: buses, rules with patterns and schedules, and the delivery of events to targets."""
