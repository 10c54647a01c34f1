"""The review's section "Distributed representations and language processing"."""
