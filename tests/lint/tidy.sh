#!/usr/bin/env bash
# clang-tidy with the checks of .clang-tidy over every source of the programs.
# tidy.sh BUILD_FOLDER (with its compile_commands.json)
set -euo pipefail
cd "$(dirname "$0")/../.."
git ls-files 'sync/*.cc' 'storage/*.cc' 'server/*.cc' 'tools/*.cc' |
  xargs -P "$(nproc)" -n 4 clang-tidy-14 -p "$1" --quiet --extra-arg=-Wno-unknown-warning-option
