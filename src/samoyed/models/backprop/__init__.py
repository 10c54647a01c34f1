"""The review's section "Backpropagation to train multilayer architectures"."""
