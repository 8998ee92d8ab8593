"""How well duplicates are found: records whose owners are known, and what the rules make of them."""
