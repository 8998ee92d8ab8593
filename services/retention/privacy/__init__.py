"""Privacy: what is held on a customer is shown as a whole (C9)."""
