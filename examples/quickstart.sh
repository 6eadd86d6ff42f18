#!/usr/bin/env bash
# From nothing to a measured voice-face search, and a page to look at it.
#
#   bash examples/quickstart.sh                    on generated people
#   bash examples/quickstart.sh --manifest FILE    on your own clips and photos
#
# --workspace DIR   where to work (default: quickstart/generated, or quickstart/own with --manifest)
# --people N        how many people to generate (default 200, half of them never seen in training)
set -euo pipefail

usage() { sed -n '2,8s/^# \{0,1\}//p' "$0"; }
manifest="" workspace="" people=200
while [ $# -gt 0 ]; do
    case $1 in
        --manifest | --workspace | --people)
            [ $# -ge 2 ] || { echo "error: $1 needs a value" >&2; exit 2; }
            printf -v "${1#--}" '%s' "$2"
            shift 2
            ;;
        -h | --help) usage; exit 0 ;;
        *) echo "error: unknown option $1" >&2; usage >&2; exit 2 ;;
    esac
done
if [ -n "$manifest" ]; then
    [ -r "$manifest" ] || { echo "error: cannot read the manifest $manifest" >&2; exit 3; }
    manifest=$(cd "$(dirname "$manifest")" && pwd)/$(basename "$manifest")
    export VFSEARCH_MANIFEST=$manifest
fi
[ -z "$workspace" ] || workspace=$(mkdir -p "$workspace" && cd "$workspace" && pwd)

cd "$(dirname "$0")/.."
. examples/environment.sh
make_environment .venv '.[frozen]'
vfsearch=$PWD/.venv/bin/vfsearch
workspace=${workspace:-$PWD/quickstart/$([ -n "$manifest" ] && echo own || echo generated)}
mkdir -p "$workspace"
cd "$workspace"

# Exit code 4 means: finished, and some items could not be used. They are named; the rest goes on.
step() {
    echo >&2
    echo "\$ vfsearch $*" >&2
    "$vfsearch" "$@" || { code=$?; [ "$code" -eq 4 ] || exit "$code"; }
}

[ -n "$manifest" ] || step corpus generate --people "$people" --seed 1 --clips 4 --photos 4
step train
step embed
step index build
step query --probe voice --gallery face
step query --probe face --gallery voice
step report
echo >&2
echo "look at $workspace/report/index.html in a browser" >&2
echo "everything is in $workspace; go on with $vfsearch --help" >&2
