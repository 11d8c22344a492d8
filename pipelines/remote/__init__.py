"""Runs on Kubeflow Pipelines: submitted, watched and looked at through its API."""
