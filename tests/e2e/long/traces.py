# SPDX-License-Identifier: Apache-2.0
"""A million spans in 200,000 traces: pages of traces, figures and searches in time; what the index of words costs."""
import os

program = os.path.join(os.environ["TOP_BUILDDIR"], "tests", "unit", "traces_long")
os.execv(program, [program, os.environ.get("SPANS", "1000000")])
