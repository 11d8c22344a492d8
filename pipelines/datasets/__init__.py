"""Data sets that everyone can get, written as the files a user would have."""
