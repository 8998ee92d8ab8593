"""Interactions: every contact between a customer and the operator, append-only."""
