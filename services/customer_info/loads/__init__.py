"""Loads: how far bulk loads are, so that one that broke can be gone on with."""
