"""The door of the mesh: the Envoy edge and the experience API behind it."""
