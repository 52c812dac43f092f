"""What the sandbox promises, on the real sandbox."""
