"""What the snapshots at a run's start and end are called; between them each turn's has its number."""

START, END = "start", "end"
