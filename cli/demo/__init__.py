"""A made-up telecom operator: seeded, the same each time, with a year behind it; and how it gets into the mesh.

Nobody in it exists. Email addresses are of example.com; telephone numbers are of ranges kept for fiction.
"""
