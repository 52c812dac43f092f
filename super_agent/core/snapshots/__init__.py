"""Snapshots of the workspace in a git repository outside it, for diff, undo and resume."""
