"""Many tasks: a list goes in, each is one ordinary run in a fresh copy of its workspace, and no result is lost."""
