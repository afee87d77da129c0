"""AWS protocols, driven by botocore's models. Nothing in here has heard of a training job."""
