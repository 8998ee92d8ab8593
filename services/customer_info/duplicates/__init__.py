"""Customers that stand in the record twice."""
