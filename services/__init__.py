"""The four services of the mesh; none imports another."""
