"""A local SageMaker: the AWS wire protocols in front, real containers behind."""
