"""The review's section "The future of deep learning"."""
