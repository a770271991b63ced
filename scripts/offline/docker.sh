#!/bin/bash
# Sees to it that a Docker daemon answers. Where none does, and this runs as root on a machine that has dockerd,
# starts one in the cache folder with a runc that asks for no more capabilities than the machine can give.
# The daemon is left running, for the next command to use. Exits 0 when `docker` works.
set -euo pipefail

docker info >/dev/null 2>&1 && exit 0

here=$(cd "$(dirname "$0")" && pwd)
state=${XDG_CACHE_HOME:-$HOME/.cache}/wherry/docker
socket=/var/run/docker.sock

fail() {
  echo "docker: $*" >&2
  exit 1
}

command -v docker >/dev/null || fail 'the docker command is missing: install Docker (Debian: apt-get install docker.io)'
if [ "${DOCKER_HOST:-unix://$socket}" != "unix://$socket" ]; then
  fail "no daemon answers at DOCKER_HOST=$DOCKER_HOST"
fi
if [ "$(id -u)" != 0 ]; then
  fail "no daemon answers at $socket: start it (sudo systemctl start docker), and be in the group docker"
fi
for tool in dockerd runc jq iptables; do
  command -v "$tool" >/dev/null || fail "no daemon answers and $tool is missing to start one: apt-get install docker.io runc jq iptables"
done

echo "docker: no daemon answers; starting one with its data in $state"
mkdir -p "$state"
# The daemon outlives this checkout, so its runtime must not lie in it.
install -m 0755 "$here/runc-bounded" "$state/runc-bounded"
# The pid file of a daemon that was killed makes the next one refuse to start, or wait for a process that is not it.
forget_unless_alive() { # a pid file, and the name of the program
  if [ -f "$1" ] && [ "$(cat "/proc/$(cat "$1")/comm" 2>/dev/null)" != "$2" ]; then rm -f "$1"; fi
}
forget_unless_alive "$state/docker.pid" dockerd
forget_unless_alive "$state/exec/containerd/containerd.pid" containerd
setsid nohup dockerd --data-root "$state/data" --exec-root "$state/exec" --pidfile "$state/docker.pid" \
  --host "unix://$socket" --log-level warn \
  --add-runtime "bounded=$state/runc-bounded" --default-runtime bounded \
  >>"$state/dockerd.log" 2>&1 </dev/null &

for _ in $(seq 60); do
  docker info >/dev/null 2>&1 && exit 0
  sleep 0.5
done
tail -n 20 "$state/dockerd.log" >&2
fail "dockerd did not come up within 30 s; its log is $state/dockerd.log"
