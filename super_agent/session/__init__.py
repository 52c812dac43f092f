"""One run from its opening to its end, for whatever door opens it."""
