"""What the `train` program does around sagemaker-training: signals, exit codes, the failure file."""
