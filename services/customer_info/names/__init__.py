"""How names are folded, split and spelled for comparison."""
