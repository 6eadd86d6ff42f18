#!/usr/bin/env bash
# Installs what the tests need into .venv-tests and runs them all; arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
. examples/environment.sh
make_environment .venv-tests -e '.[frozen,test]'
# Tests run beside each other: one thread each keeps them from waiting for one another.
export OMP_NUM_THREADS=1
.venv-tests/bin/python -m ruff check .
.venv-tests/bin/python -m ruff format --check .
# Tests that start a Ray cluster are one group: two clusters at a time would wait for one another too.
exec .venv-tests/bin/python -m pytest -n auto --dist loadgroup "$@"
