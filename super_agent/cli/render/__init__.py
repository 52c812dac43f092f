"""Events as a person or a program reads them: JSON lines, plain text, or the live view of a terminal."""
