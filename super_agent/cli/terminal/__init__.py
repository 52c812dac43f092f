"""The keyboard: typed lines, questions and their answers."""
