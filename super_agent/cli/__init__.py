"""The command line, one door to a run: flags, drawing and keys."""
