"""Systems Manager, as far as code in containers asks it: parameters."""
