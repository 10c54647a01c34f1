"""Pure scoring functions, one file per kind of answer."""
