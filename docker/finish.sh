#!/bin/sh
# Prepares the last stage: no pip in it, and bytecode of the standard library, which the official images leave out.
set -eu
library=$(python3 -c "import sysconfig; print(sysconfig.get_path('stdlib'))")
rm -rf "$library"/ensurepip "$library"/site-packages/pip "$library"/site-packages/pip-* \
    /usr/lib/python3/dist-packages/pip* /usr/share/python-wheels /usr/local/bin/pip* /usr/bin/pip*
python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash "$library"
