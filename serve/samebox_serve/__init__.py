"""An HTTP server around one model, by SageMaker's hosting contract: /ping, /invocations, /execution-parameters."""
