"""Pipelines made of the rooms, and the ways to compile and run them."""
