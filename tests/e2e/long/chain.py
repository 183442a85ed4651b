# SPDX-License-Identifier: Apache-2.0
"""The second of two spangates killed ten times while the first one's spans are sent to it, with troubles on the way."""
import os
import sys

os.environ.setdefault("KILLS", "10")
os.environ.setdefault("SECONDS", "6")
os.environ.setdefault("CLIENTS", "8")
test = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "chain_test.py")
os.execv(sys.executable, [sys.executable, "-B", test] + sys.argv[1:])
