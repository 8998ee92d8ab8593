"""Verification: whether a caller is the customer it says it is."""
