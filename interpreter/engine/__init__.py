"""Open Interpreter behind a pipe: its process, its environment and the protocol between."""
