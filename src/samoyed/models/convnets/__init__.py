"""The review's section "Convolutional neural networks"."""
