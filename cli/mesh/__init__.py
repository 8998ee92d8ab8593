"""The local platform: an instance is a data directory and a set of ports; `mesh.Mesh` brings it up and down."""
