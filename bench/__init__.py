"""Measurements: each path beside its floor in one run, as a ratio. Nothing here is a test, no test is timed."""
