# Sourced by examples/quickstart.sh and tests/run.sh: a virtual environment with vfsearch in it.
# make_environment FOLDER WHAT...: WHAT goes to pip, for example '.[frozen]' or -e '.[frozen,test]'.

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python; do
        if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "error: vfsearch needs Python 3.11 or newer, none was found; name one: PYTHON=/path/to/python bash $0" >&2
    return 1
}

make_environment() {
    local folder=$1 python
    shift
    if [ ! -x "$folder/bin/python" ]; then
        python=$(find_python) || return 1
        echo "making the virtual environment $folder" >&2
        "$python" -m venv "$folder" || return 1
    fi
    echo "installing vfsearch and what it needs (the first time takes a minute or two)" >&2
    "$folder/bin/python" -m pip install -q --disable-pip-version-check -c constraints.txt "$@" &&
        # resemblyzer asks for webrtcvad, which has no wheels; webrtcvad-wheels, installed above, is the same module.
        "$folder/bin/python" -m pip install -q --disable-pip-version-check -c constraints.txt --no-deps resemblyzer
}
