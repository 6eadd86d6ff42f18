#!/usr/bin/env bash
# On a machine with a CUDA GPU: the GPU tests, then the tables. PYTHON names the interpreter (default python3).
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH}
"${PYTHON:-python3}" -m pytest -q tests/gpu
"${PYTHON:-python3}" benchmarks/speed.py --device cuda --probes 20000 --rows 1000000 "$@"
"${PYTHON:-python3}" benchmarks/training.py --device cuda
