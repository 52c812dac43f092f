"""Token counts and costs of stock frameworks and of super-agent, on one real Ollama; `make bench-compare`."""
