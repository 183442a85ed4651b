#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pack.py FILE.tiktoken FILE.bpe: packs one of OpenAI's rank tables (README.md).

Refuses a table whose SHA-256 is not the published one."""
import base64
import hashlib
import os
import struct
import sys

HASHES = {
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
}


def main(source, target):
    raw = open(source, "rb").read()
    name = os.path.basename(source).split(".")[0]
    if hashlib.sha256(raw).hexdigest() != HASHES.get(name):
        sys.exit("pack.py: %s is not the published table" % source)
    tokens = []
    for line in raw.splitlines():
        text, rank = line.split()
        if int(rank) != len(tokens):
            sys.exit("pack.py: ranks are not in order")
        tokens.append(base64.b64decode(text))
    body = b"".join(bytes([len(t)]) + t for t in tokens)
    with open(target, "wb") as f:
        f.write(b"SGBPE\0\0\1" + struct.pack("<II", len(tokens), len(body)) + body)


if len(sys.argv) != 3:
    sys.exit(__doc__)
main(sys.argv[1], sys.argv[2])
