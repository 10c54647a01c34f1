"""Pure differentiable functions: outputs and targets in, one number out."""
