"""Blocks that torch lacks and at least two systems use."""
