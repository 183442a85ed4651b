# SPDX-License-Identifier: Apache-2.0
"""Lists, the summary and exports of a million spans: each figure against what is promised."""
import os

program = os.path.join(os.environ["TOP_BUILDDIR"], "tests", "unit", "lists_long")
os.execv(program, [program, os.environ.get("SPANS", "1000000")])
