"""Scores: what a probability means for a customer: band, reasons, remedies, value."""
