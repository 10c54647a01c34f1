"""The run folder: written, read, compared; the report and its figures."""
