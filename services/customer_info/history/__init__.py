"""History: what every record of this service was, and who changed it."""
