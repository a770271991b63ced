#!/bin/bash
# As root on Debian or Ubuntu: installs what the project needs beside Node.js, Go and Rust. Asks apt only for what
# is not there.
set -euo pipefail
packages=(
  gcc g++ libc6-dev binutils make git curl ca-certificates # compilers
  docker.io iptables jq                              # containers; on Debian 12 it brings runc
  mmdebstrap debian-archive-keyring busybox-static   # images where no registry answers
  nftables iproute2 util-linux procps                # tests that make network namespaces
  cpio zstd xz-utils e2fsprogs dosfstools mtools genisoimage qemu-utils # guest images and what checks them
)
missing=()
for package in "${packages[@]}"; do
  dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
((${#missing[@]})) || exit 0

echo "▸ install Debian packages: ${missing[*]}"
apt-get update -q -o=Dpkg::Use-Pty=0 >/dev/null
DEBIAN_FRONTEND=noninteractive apt-get install -y -q -o=Dpkg::Use-Pty=0 --no-install-recommends "${missing[@]}" >/dev/null
echo "✓ install Debian packages ($SECONDS s)"
