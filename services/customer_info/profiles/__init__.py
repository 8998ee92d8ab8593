"""Profiles: how each customer wants to be dealt with, beside what the other services tell of it."""
