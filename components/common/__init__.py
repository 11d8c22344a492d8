"""What every room stands on: artifacts, storage, errors, configs and images. It knows no room."""
