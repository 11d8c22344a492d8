"""One file per measure; each has a function `measure` that returns a `Record`."""
