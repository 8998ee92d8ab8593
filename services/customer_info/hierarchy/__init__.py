"""Hierarchies: how a customer is organised, in its own eyes and in the operator's."""
