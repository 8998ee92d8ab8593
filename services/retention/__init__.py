"""Retention: who is about to leave, why, what would keep them, and what they are worth."""
