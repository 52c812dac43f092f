"""The command line: one module a command, and the sinks that show events."""
