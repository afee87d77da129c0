"""The S3 side of a job: what is read before it starts, and what is kept when it ends."""
