#!/bin/sh
# Writes src/shop/wire/ from proto/. Run it after a change of a .proto file and commit the result.
set -eu
cd "$(dirname "$0")/.."
"${PYTHON:-python3}" -m grpc_tools.protoc -Iproto \
    --python_out=src --pyi_out=src --grpc_python_out=src proto/shop/wire/inventory.proto
