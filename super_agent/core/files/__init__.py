"""The only openers of workspace paths."""
