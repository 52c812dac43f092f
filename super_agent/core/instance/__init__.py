"""The same-instance guarantee: notices before a run, watch, observation, diagnosis, proof, and who else is there."""
