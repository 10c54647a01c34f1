"""The conformance checks, shipped, so that anyone can check a system file of their own."""
