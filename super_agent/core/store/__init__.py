"""The store: every session's events and checkpoints in one SQLite file of the state folder."""
