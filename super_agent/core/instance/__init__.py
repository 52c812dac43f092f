"""The same-instance guarantee: prepare, watch, observe, diagnose, prove, and who else is there."""
