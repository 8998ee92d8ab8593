"""What the mesh says, laid out for a terminal: pure functions from messages to things that rich prints."""
