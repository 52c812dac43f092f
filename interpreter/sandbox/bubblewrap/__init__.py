"""The sandbox by bubblewrap: its arguments, its system calls, its processes and their limits."""
