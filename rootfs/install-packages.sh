#!/bin/bash
# Installs the Debian packages levitate needs:  rootfs/install-packages.sh [build|rootfs|test|cross|emulate|languages]...   (default: all)
# Asks nothing, does nothing for what is already there; needs root (or sudo) only if something is missing.
set -euo pipefail
list="$(dirname "$(readlink -f "$0")")/packages.list"
wanted=" ${*:-build rootfs test cross emulate languages} "
missing=()
while read -r group package; do
  [[ $group == '#'* || -z $group || $wanted != *" $group "* ]] && continue
  [[ " ${missing[*]-} " == *" $package "* ]] && continue
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true) == installed ]] || missing+=("$package")
done <"$list"
if [ ${#missing[@]} -eq 0 ]; then
  echo 'install-packages: everything is installed'
  exit 0
fi
echo "install-packages: installing ${missing[*]}"
run=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
    echo "install-packages: not root; run as root: apt-get install -y --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  run=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
# The lists may be absent (a slim image) or fresh enough: update only when the first attempt fails.
install=("${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}")
"${install[@]}" </dev/null || { "${run[@]}" apt-get update -q </dev/null && "${install[@]}" </dev/null; }
