"""Writing files of what the mesh holds."""
