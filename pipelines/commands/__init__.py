"""The commands of `millrace` by topic; each is thin over the packages that do the work."""
