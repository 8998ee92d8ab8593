"""What becomes of the texts of a person who was erased. Pure: no I/O, no clock, no randomness."""

from datetime import timedelta

# Stands where a text was.
ERASED = "[erased]"
# After so long nobody writes a text any more who did not know of the erasure: a transaction lives a minute at most, and
# every replica looks for the newly erased each second.
SETTLE = timedelta(minutes=5)
# How long before the newest erasure known a replica looks for others: what was committed later may be dated earlier.
MARGIN = timedelta(minutes=5)
