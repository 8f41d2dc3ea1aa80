#!/usr/bin/env bash
# The server does its work as somebody who may do nothing else: no root, no capabilities, and no way
# to get any. without_root.sh PROGRAM SCHEMAS
set -euo pipefail

home=$(mktemp -d)
server=
end() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$home"
}
trap end EXIT
# Copied to where anybody may read it.
cp "$1" "$home/waystation"
cp -r "$2" "$home/schemas"
mkdir "$home/data"
as_nobody=()
if [ "$(id -u)" = 0 ]; then
  chown -R 65534:65534 "$home"
  as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs --inh-caps=-all
    --bounding-set=-all)
fi
chmod -R u=rwX,go=rX "$home"
cd "$home"

"${as_nobody[@]}" ./waystation serve --listen 127.0.0.1:0 --data data --schemas schemas >out 2>err &
server=$!
for _ in $(seq 600); do
  grep -q '^listening on' out && break
  kill -0 "$server" 2>/dev/null || { cat out err >&2; exit 1; }
  sleep 0.1
done
address=$(sed -n 's/^listening on //p' out)

grep -q '^CapEff:[[:space:]]*0*$' "/proc/$server/status"
! grep -q '^Uid:[[:space:]]*0' "/proc/$server/status"
token=$(cat data/admin.token)
answer=$(curl -fsS -X POST -H "Authorization: Bearer $token" -d '{"scopes":["*"]}' "$address/v1/codes")
[[ $answer == *'"code"'* ]] || { echo "no code: $answer" >&2; exit 1; }
! grep -q 'runs as root' err
kill -TERM "$server"
wait "$server"
server=
