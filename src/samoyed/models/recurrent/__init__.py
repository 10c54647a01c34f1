"""The review's section "Recurrent neural networks"."""
