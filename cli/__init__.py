"""The command `holdfast`: the whole mesh on one machine, and what one says to it from a terminal."""
