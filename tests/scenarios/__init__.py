"""Whole runs with real containers, through boto3: one file each."""
