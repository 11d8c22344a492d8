"""Serving: a complete model folder -> HTTP answers. A room without a door: it is an image's command."""
