"""Speed and memory beside peers, each comparison in one run."""
