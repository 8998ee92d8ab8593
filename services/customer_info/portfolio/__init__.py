"""The portfolio: what each customer has, over all lines."""
