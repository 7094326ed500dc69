# Sourced by the scripts beside this folder: where the project is, how to speak, how to configure a build.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"

python=/usr/bin/python3
[ -x "$python" ] || python=python3

say() {
  if [ -t 1 ]; then printf '\033[1m==>\033[0m %s\n' "$*"; else printf '==> %s\n' "$*"; fi
}
die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# The comment block at the top of a script is its help.
show_help() {
  awk 'NR == 1 { next } /^#/ { sub(/^# ?/, ""); print; next } { exit }' "$0"
  exit 0
}
for argument in "$@"; do
  case "$argument" in
    --) break ;;
    -h | --help) show_help ;;
  esac
done

# configure FOLDER OPTION...: makes or updates a Meson build folder with clang 19, ccache and mold.
configure() {
  local folder=$1
  shift
  if [ -f "$folder/build.ninja" ]; then
    meson configure "$folder" "$@" >/dev/null && return 0
    say "the build folder $folder cannot be updated; making it anew"
    rm -rf "$folder"
  elif [ -e "$folder" ]; then
    rm -rf "${folder:?}/meson-private" "${folder:?}/meson-info" "${folder:?}/meson-logs"
  fi
  local compiler=${CXX:-"ccache clang++-19"} c_compiler=${CC:-"ccache clang-19"}
  command -v ccache >/dev/null || { compiler=${compiler#ccache }; c_compiler=${c_compiler#ccache }; }
  CC=$c_compiler CXX=$compiler CXX_LD=${CXX_LD:-mold} CC_LD=${CC_LD:-mold} meson setup "$folder" "$@"
}

# One cache for all clones of the tree: what is compiled does not depend on the folder it lies in.
export CCACHE_NOHASHDIR=${CCACHE_NOHASHDIR:-1}

jobs_count() { nproc 2>/dev/null || echo 2; }
