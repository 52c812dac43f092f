"""Tools of MCP servers that the user lists, for the executor: started for a run, called through a small interface."""
