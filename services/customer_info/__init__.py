"""Customer information: who the operator's customers are, and what they have."""
