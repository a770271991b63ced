#!/bin/bash
# What every npm script does first: sees to it that this machine has what the project builds with, and that the npm
# packages are those of package-lock.json. In bash and plain old JavaScript, because nothing else can be counted on
# yet. Says nothing and takes a moment where there is nothing to do.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
lacks() { ! command -v "$1" >/dev/null 2>&1; }
need() { if lacks "$1"; then missing+=("$1: $2"); fi; }

# On a CI machine nobody is there to install anything.
if [ "${CI:-}" = true ] && [ "$(id -u)" = 0 ] && ! lacks apt-get; then bash scripts/install-debian.sh; fi

need node 'Node.js 20 or later (Debian 13: apt-get install nodejs npm)'
need npm 'npm, which comes with Node.js'
need go 'Go 1.21 or later; it fetches the exact version itself (Debian 13: apt-get install golang)'
need cargo 'Rust, by rustup'
need cc 'a C compiler and linker (apt-get install gcc libc6-dev)'
need docker 'Docker (apt-get install docker.io); its daemon is started for you where you are root'
if ! lacks node && [ "$(node -p 'parseInt(process.versions.node)')" -lt 20 ]; then
  missing+=("node: Node.js 20 or later; here is $(node --version)")
fi
if ((${#missing[@]})); then
  echo 'This machine lacks what Wherry is built with. Please install:' >&2
  printf '  %s\n' "${missing[@]}" >&2
  exit 1
fi

if ! node scripts/packages-installed.cjs; then
  echo '▸ install the npm packages of package-lock.json'
  # Not `npm ci`: it wants the packages of every platform in the lockfile, and not every registry mirror has those.
  # This installs the same versions, by the same checksums, and leaves the lockfile alone.
  npm install --no-save --no-audit --no-fund --loglevel=error </dev/null
  echo "✓ install the npm packages (${SECONDS} s)"
fi
