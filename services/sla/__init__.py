"""Promises to customers: what was agreed, how time is counted, and whether the promise was kept."""
