"""Ollama from outside: its management API, what it answers, its models of ours, its processes, and how to start it."""
