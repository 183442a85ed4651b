# SPDX-License-Identifier: Apache-2.0
"""kill -9 fifty times at random while spans are given, changed and deleted."""
import os
import sys

os.environ.setdefault("KILLS", "50")
test = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "ingest_kill_test.py")
os.execv(sys.executable, [sys.executable, "-B", test] + sys.argv[1:])
