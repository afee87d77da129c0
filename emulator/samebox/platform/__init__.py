"""SageMaker's platform, modelled once: how containers are fetched, started, fed, watched, probed and stopped.

The emulator (`jobs`) and the contract kit (`check`) both stand on it, so that an image meets the same platform in both.
Nothing here knows rows, statuses, findings or rules.
"""
