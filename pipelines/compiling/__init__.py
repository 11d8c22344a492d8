"""Pipelines into packages that KFP and the embedded runner execute alike."""
