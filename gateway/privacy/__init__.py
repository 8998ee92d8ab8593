"""Privacy: everything that all services hold on a customer, as one document (C9)."""
