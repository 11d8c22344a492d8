"""Evaluation: the best model and the test split in, a verdict and the complete model out."""
