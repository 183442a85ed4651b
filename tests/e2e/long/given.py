# SPDX-License-Identifier: Apache-2.0
"""What a given span of 2 KB costs the sink, step by step, up to 1.2 million rows."""
import os

program = os.path.join(os.environ["TOP_BUILDDIR"], "tests", "unit", "given_long")
os.execv(program, [program, os.environ.get("SPANS", "1200000")])
