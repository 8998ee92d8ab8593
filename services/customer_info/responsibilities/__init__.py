"""Responsibilities: who does what in an enterprise, at which node of its trees, and since when."""
