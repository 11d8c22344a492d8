"""The embedded runner: executes a compiled package on this machine."""
