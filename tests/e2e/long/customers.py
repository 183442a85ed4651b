# SPDX-License-Identifier: Apache-2.0
"""A million spans of 10,000 customers: sums exact to the last digit, lists of all customers under 50 ms."""
import os

program = os.path.join(os.environ["TOP_BUILDDIR"], "tests", "unit", "customers_long")
os.execv(program, [program, os.environ.get("SPANS", "1000000")])
