"""The Open Interpreter side: the executor, its model client and its sandbox."""
