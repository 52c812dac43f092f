"""The sandbox by Docker or Podman: the program, the agent inside and the frames between."""
