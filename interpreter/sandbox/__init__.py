"""Where model-written code runs: one small protocol, a Python worker and a shell that satisfy it, and the policy."""
