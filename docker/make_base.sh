#!/bin/sh
# Makes the base of all images from Debian's packages, for places that no registry answers.
# Usage: docker/make_base.sh ENGINE REFERENCE; needs root and mmdebstrap.
# What the engine gets is what `python:3-slim` is, too: Debian 13, its certificates and a Python without more.
set -eu
engine=$1 reference=$2
command -v mmdebstrap >/dev/null || { echo "images: mmdebstrap is missing (Debian: apt-get install mmdebstrap)" >&2; exit 2; }
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
# From a fixed day of Debian's, so that the same commands give the same packages: MILLRACE_DEBIAN=URL.
mmdebstrap --quiet --variant=minbase --include=python3,ca-certificates \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --aptopt='APT::Install-Recommends "false"' \
    trixie "$root/base.tar" ${MILLRACE_DEBIAN:-}
case $engine in
    buildah)
        container=$(buildah from scratch)
        buildah add -q "$container" "$root/base.tar" / >/dev/null
        buildah commit -q --rm "$container" "$reference" >/dev/null ;;
    *) "$engine" import "$root/base.tar" "$reference" >/dev/null ;;
esac
