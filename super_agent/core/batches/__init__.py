"""What a batch leaves for whoever looks at it: its attempts, and how it stands."""
