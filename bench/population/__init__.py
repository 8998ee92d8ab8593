"""People and companies of an operator that do not exist, with names as frequent as real ones."""
