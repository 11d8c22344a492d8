"""Secrets and config maps of Kubernetes, from files that somebody names for one run."""
