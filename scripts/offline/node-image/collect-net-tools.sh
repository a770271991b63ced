#!/bin/bash
# Runs in the node's system: copies the packet-filter tools to $1, with just the libraries that they load. The xtables
# extensions are loaded by name while rules are added; one that lacks a library fails only then.
set -euo pipefail
root=$1

copy() { # a file and, once each, the libraries that it names
  local file
  for file in "$1" $(ldd "$1" 2>/dev/null | grep -oE '/[^ ]+'); do
    [ -e "$root$file" ] || { mkdir -p "$root$(dirname "$file")" && cp -L "$file" "$root$file"; }
  done
}

for tool in /usr/sbin/nft /usr/sbin/xtables-nft-multi /usr/sbin/conntrack /usr/lib/x86_64-linux-gnu/xtables/*.so; do
  copy "$tool"
done
for name in {ip,ip6}tables{,-save,-restore}; do ln -s xtables-nft-multi "$root/usr/sbin/$name"; done
mkdir -p "$root"/{etc,tmp,var/lib/kube-proxy}
