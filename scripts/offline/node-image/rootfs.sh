#!/bin/bash
# The Debian system of a kind node, as the archive $1. Bookworm, because later systemd drops cgroup v1.
set -euo pipefail
packages=(
  systemd systemd-sysv dbus-                          # its init; nothing here speaks D-Bus
  conntrack iptables nftables iproute2 ethtool socat  # Kubernetes' networking and port-forward
  util-linux mount kmod e2fsprogs                     # volumes
  libseccomp2 pigz runc                               # containerd
  bash ca-certificates curl jq procps                 # what kind runs inside
)
exec mmdebstrap --variant=minbase --include="$(IFS=,; echo "${packages[*]}")" \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' bookworm "$1"
