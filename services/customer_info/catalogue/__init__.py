"""The catalogue: the families of products that there are, as data."""
