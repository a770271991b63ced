#!/bin/bash
# Ends with 1, naming the files, when Go sources are not formatted.
set -euo pipefail
unformatted=$(gofmt -l "$(dirname "$0")/kubernetes")
[ -z "$unformatted" ] || { echo "not formatted: $unformatted"; exit 1; }
