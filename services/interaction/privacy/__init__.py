"""Privacy: what is held on a person is shown as a whole, and its texts are forgotten for good (C9)."""
