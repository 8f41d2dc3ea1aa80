#!/usr/bin/env bash
# The list of what the program is made of is whole, is JSON, and agrees with docs/dependencies.md:
# sbom.sh SOURCE PROGRAM
set -euo pipefail
document=$("$1/tools/sbom" "$2")
printf '%s' "$document" | node -e '
const fs = require("fs");
const listed = new Map();
for (const line of fs.readFileSync(process.argv[1], "utf8").split("\n")) {
  const cells = line.split("|").map((cell) => cell.trim());
  if (cells.length > 4) for (const name of cells[1].split(", ")) listed.set(name, cells[3]);
}
const { packages, relationships } = JSON.parse(fs.readFileSync(0, "utf8"));
const wrong = packages.slice(1).filter(({ name, licenseDeclared }) => listed.get(name) !== licenseDeclared);
for (const { name, licenseDeclared } of wrong) console.error(`docs/dependencies.md does not list ${name} (${licenseDeclared})`);
if (packages.length < 10 || relationships.length !== packages.length) throw new Error("the list is not whole");
process.exitCode = wrong.length === 0 ? 0 : 1;
' "$1/docs/dependencies.md"
