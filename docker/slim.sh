#!/bin/sh
# Leaves out of an environment what no task uses, and compiles the rest; docker/README.md has the sizes.
set -eu
cd /opt/venv/lib/python3*/site-packages
# Headers and sources, stubs of types, the packages' own tests, and a parser of C that TensorFlow's build wants.
rm -rf tensorflow/include clang
find . -type d \( -name tests -o -name testdata -o -name test_data \) -prune -exec rm -rf {} +
find . -type f \( -name '*.h' -o -name '*.hpp' -o -name '*.c' -o -name '*.cc' -o -name '*.cpp' -o -name '*.pyx' \
    -o -name '*.pxd' -o -name '*.pxi' -o -name '*.pyi' -o -name '*.a' \) -delete
# Arrow's RPC, which nothing here imports.
rm -f pyarrow/*flight*
# Of the 400 services of AWS those that serve objects, and tell who asks.
if [ -d botocore/data ]; then
    find botocore/data -mindepth 1 -maxdepth 1 -type d ! -name s3 ! -name sts ! -name sso ! -name sso-oidc \
        ! -name signin -exec rm -rf {} +
fi
find . -type f -name '*.so*' -size +500k -exec strip --strip-unneeded {} +
# A layer's times are rounded, and a task cannot mend bytecode: it is held valid by no time at all.
/opt/venv/bin/python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash .
