"""Features: what is known of a customer, kept up to date from the facts of the other services."""
