#!/usr/bin/env bash
# On a machine with a CUDA GPU: the GPU tests, then the tables. PYTHON names the interpreter (default python3).
# With faiss-gpu installed its Flat index is in the tables too, and its indices have a table of their own; CAGRA wants
# faiss-gpu-cuvs. Arguments go to speed.py.
set -euo pipefail
cd "$(dirname "$0")/.."
# The package need not be installed: the folder cli is imported under the name it is installed as.
names=$(mktemp -d)
trap 'rm -r "$names"' EXIT
ln -s "$PWD/cli" "$names/vfsearch_cli"
export PYTHONPATH=$PWD:$names${PYTHONPATH:+:$PYTHONPATH}
python=${PYTHON:-python3}
"$python" -m pytest -q tests/gpu tests/kernels/cuda
"$python" -m vfsearch_cli.main bench kernels --device cuda --probes 65536 --rows 10000,300000,1000000,10000000 \
    --out benchmarks/kernels-gpu.md
if "$python" -c 'import faiss; faiss.StandardGpuResources' 2>/dev/null; then
    "$python" benchmarks/gpu_indices.py --out benchmarks/gpu-indices.md
fi
"$python" benchmarks/speed.py --device cuda "$@"
"$python" benchmarks/training.py --device cuda
