"""The one learning procedure: loop, optimizers, schedules, precision, distribution, checkpoints."""
