"""Interaction: what the operator and its customers have been through together."""
