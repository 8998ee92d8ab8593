"""Consents: what a customer may be contacted for, and what it does not want."""
