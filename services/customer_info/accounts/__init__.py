"""Accounts: what customers are billed by, and the cost centres of their own books."""
