"""AWS protocols, driven by botocore's models. Nothing here knows SageMaker's nouns."""
