"""Merges: records that turn out to be one customer, made one, and parted again where that was a mistake."""
