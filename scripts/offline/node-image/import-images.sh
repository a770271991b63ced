#!/bin/bash
# Runs in the node's system: puts the images of the archive $1 into its containerd, so that a node pulls nothing.
set -euo pipefail
containerd >/var/log/import.log 2>&1 &
for _ in $(seq 100); do
  ctr version >/dev/null 2>&1 && break
  sleep 0.1
done
# Pinned, or the kubelet's garbage collection would take what cannot be pulled again. Unpacked by the node that starts.
ctr -n k8s.io images import --label=io.cri-containerd.pinned=pinned --all-platforms --no-unpack --digests "$1"
kill %1
wait %1 || true
rm -f /var/log/import.log
