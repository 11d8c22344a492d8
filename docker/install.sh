#!/bin/sh
# Makes the virtual environment of an image from its locks; runs in the first stage of every Dockerfile.
# Usage: install.sh LOCK…
# The builder's package index and certificates come as secrets of the build, and stay in none of its layers.
set -eu
secrets=/run/secrets
if [ -s $secrets/index ]; then set -a; . $secrets/index; set +a; fi
if [ -s $secrets/certificates ]; then export SSL_CERT_FILE=$secrets/certificates; fi
export UV_NO_CACHE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
environment=/opt/venv
[ -x $environment/bin/python3 ] || uv venv -q --python "$(command -v python3)" $environment
uv pip sync -q --require-hashes --python $environment/bin/python3 "$@"
rm -f $environment/.lock
