"""What runs Python and shell in the sandbox and keeps their state from one block to the next."""
