"""Whole stories with real containers, told through boto3: one file each."""
