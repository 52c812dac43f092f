"""What a reader is told, in English and Portuguese, by every view of a run."""
