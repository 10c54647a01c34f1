"""The review's section "Image understanding with deep convolutional networks"."""
