"""The AutoGen side: planner, coder and reviewer on one shared transcript."""
