"""What each task shows of what was learned, one file per task."""
