"""One file per system, in folders named after the sections of the 2015 review."""
