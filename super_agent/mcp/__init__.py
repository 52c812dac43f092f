"""The door for other agents: a coding team as MCP tools. The library is imported when the door is opened."""
