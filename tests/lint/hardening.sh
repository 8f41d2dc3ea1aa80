#!/usr/bin/env bash
# Looks into built programs for what hardens them: hardening.sh PROGRAM OPTIMIZED_PROGRAM.
set -euo pipefail
export LC_ALL=C

failed=0
# expect PROGRAM WHAT READELF-OPTION PATTERN; with "no" before the pattern it must not be there.
expect() {
  local program=$1 what=$2 option=$3 wanted=yes found=no
  shift 3
  if [ "$1" = no ]; then wanted=no; shift; fi
  if readelf "$option" --wide "$program" | grep -Eq "$1"; then found=yes; fi
  [ "$found" = "$wanted" ] && return 0
  echo "$(basename "$program"): $what" >&2
  failed=1
}

for program in "$1" "$2"; do
  expect "$program" "is not position-independent" --file-header 'Type: +DYN'
  expect "$program" "has no read-only relocations" --segments GNU_RELRO
  expect "$program" "binds symbols late" --dynamic 'BIND_NOW|FLAGS.* NOW'
  expect "$program" "has an executable stack" --segments no 'GNU_STACK.* RWE'
  expect "$program" "looks for libraries in a folder of its own" --dynamic no 'RPATH|RUNPATH'
done
# The address sanitizer has guards of its own in place of these.
expect "$2" "has no stack protector" --dyn-syms __stack_chk_fail
expect "$2" "copies without checks of the length" --dyn-syms '__memcpy_chk'
[ "$failed" = 0 ] && echo "hardened: $*"
exit "$failed"
