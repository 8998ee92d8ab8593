"""Customers: the record of who they are."""
