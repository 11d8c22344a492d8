"""What is wrong with a package or a manifest, found before anybody runs or applies it."""
