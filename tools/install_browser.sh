#!/bin/sh
# Makes sure that a browser and its driver are there for the system tests; installs Debian's as root.
set -eu
have() { command -v chromium >/dev/null && command -v chromedriver >/dev/null; }
have && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update && apt-get install -y --no-install-recommends chromium chromium-driver; } >&2 </dev/null
fi
have || { echo "the system tests need chromium and chromedriver (Debian: apt-get install chromium chromium-driver)" >&2; exit 2; }
