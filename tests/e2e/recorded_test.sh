#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Recorded exchanges with real providers, replayed through the gateway: the client and the provider
# see what was recorded, and the spans say what they must. The recordings are not part of this
# project: where they are not there, this is skipped.
: "${TOP_SRCDIR:=$(cd "$(dirname "$0")/../.." && pwd)}"
tools=${SPANGATE_RECORDED_TOOLS:-$TOP_SRCDIR/../shared/tools/recorded}
cases=${SPANGATE_RECORDED:-$TOP_SRCDIR/../shared/data/recordings/cases.jsonl}
if [ ! -f "$tools/drive.py" ] || [ ! -f "$cases" ]; then
	echo "1..0 # SKIP no recordings here (set SPANGATE_RECORDED and SPANGATE_RECORDED_TOOLS)"
	exit 0
fi
exec "${PYTHON:-python3}" "$(dirname "$0")/recorded.py" "$tools" "$cases"
