"""Warm parents: processes that have imported what tasks need and fork one child per task."""
