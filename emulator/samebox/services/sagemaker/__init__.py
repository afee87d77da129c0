"""SageMaker operations: one noun a module."""
