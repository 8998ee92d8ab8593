"""Measured service quality: availability and percentiles of a period."""
