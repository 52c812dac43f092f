"""A local coding team: AutoGen thinks, Open Interpreter acts, one Ollama model instance serves both."""

__version__ = "0.1.0"
