# What tools/up and tools/test share: the packages, the pages and the build. Sourced, not run.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

say() { printf '\033[1m==> %s\033[0m\n' "$*"; }

# A tool that is there by another way than Debian's package is good enough.
installed() {
  case "$1" in
    nodejs) command -v node >/dev/null && return 0 ;;
    npm) command -v npm >/dev/null && return 0 ;;
  esac
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# install_packages up|test: "up" leaves out what only the tests need.
install_packages() {
  local wanted missing=() package
  wanted=$(sed -e "$([ "$1" = up ] && echo '/^# tests/,$d;')" -e '/^#/d' tools/packages.txt)
  for package in $wanted; do
    installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  say "Installing ${#missing[@]} packages: ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "Run as root, or install sudo: packages are missing." >&2; exit 1; }
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null
}

# node_packages FOLDER: what its lock file names; node_modules stays as long as that does.
node_packages() {
  cmp -s "$1/package-lock.json" "$1/node_modules/.waystation-lock" && return 0
  say "Installing what $1 needs"
  (cd "$1" && npm ci --no-audit --no-fund --loglevel=error)
  cp "$1/package-lock.json" "$1/node_modules/.waystation-lock"
}

# What the pages are made from: their sources, and the schemas that their types come from.
pages_sources() {
  find server/web schemas/collections schemas/policy.json \
    \( -name node_modules -o -path server/web/dist \) -prune -o -type f -print0 |
    LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum
}

# Into server/web/dist, where the program finds them. Nothing is done while they are up to date.
build_pages() {
  local stamp=server/web/node_modules/.waystation-pages
  [ -d server/web/dist ] && [ -f "$stamp" ] && [ "$(pages_sources)" = "$(cat "$stamp")" ] && return 0
  node_packages server/web
  say "Building the pages"
  (cd server/web && npm run --silent build)
  pages_sources >"$stamp"  # only now: the build writes some of its sources itself
}

# build PRESET [cmake cache settings …] -- [targets …]
build() {
  local preset=$1 settings=() targets=()
  shift
  while [ $# -gt 0 ] && [ "$1" != -- ]; do settings+=("$1"); shift; done
  [ $# -gt 0 ] && shift
  targets=("$@")
  say "Building ($preset)"
  cmake --preset "$preset" "${settings[@]}" >"build-$preset.log" 2>&1 ||
    { cat "build-$preset.log" >&2; exit 1; }
  rm -f "build-$preset.log"
  cmake --build "build/$preset" ${targets[@]:+--target "${targets[@]}"}
}
