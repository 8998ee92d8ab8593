"""Search of customers by name."""
