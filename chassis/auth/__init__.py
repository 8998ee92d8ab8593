"""Who calls: bearer tokens, and the keys that prove them."""
