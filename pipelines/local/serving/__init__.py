"""Behind `millrace serve`: one supervisor a root, which owns the port, the revisions and their weights."""
