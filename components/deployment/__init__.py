"""Deployment: a judged model -> an endpoint that answers, proved by its golden requests."""
