#!/bin/sh
# Writes locks/ from pyproject.toml: for the environments of one machine, and for each image its part of them.
# Usage: tools/lock.sh UV [--upgrade]
set -eu
uv=$1 upgrade=${2:-}
lock() { "$uv" pip compile --universal --generate-hashes --no-emit-index-url -q --python-version "$@"; }
image() { # NAME CONSTRAINTS OPTIONS…: the same versions as on one machine
    name=$1 constraints=$2
    shift 2
    lock 3.12 --constraint "$constraints" --output-file "locks/images/$name.txt" "$@"
}
cpu="--group tensorflow-cpu --override docker/without-tensorflow.txt"

lock 3.11 $upgrade --group bootstrap -o locks/uv.txt
lock 3.11 $upgrade --group go -o locks/go.txt
lock 3.11 $upgrade --group command-line --group ingestion --group modelling --group deployment --group serving \
    --group development -o locks/local.txt
lock 3.11 $upgrade --group validation --group validation-tests -o locks/validation.txt
lock 3.11 $upgrade --no-deps --group kfp-executor -o locks/kfp-executor.txt
image ingestion locks/local.txt --group ingestion
image deployment locks/local.txt --group deployment
image modelling locks/local.txt --group modelling $cpu
image modelling-gpu locks/local.txt --group modelling --group tensorflow-gpu
image serving locks/local.txt --group serving
image serving-tensorflow locks/local.txt --group serving $cpu
image validation locks/validation.txt --group validation $cpu
