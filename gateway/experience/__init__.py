"""The experience API: everything the mesh knows of a customer, in one call."""
