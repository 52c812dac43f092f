"""What developers run; the Makefile names the entry points."""
