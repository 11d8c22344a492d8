"""The rooms of Millrace, one folder per activity; README.md is the map."""
