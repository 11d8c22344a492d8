"""Training: a search space in, trials as tasks, the best model out."""
