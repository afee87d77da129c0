"""What training and serving by the built-in algorithm XGBoost share, as AWS's container has it."""
