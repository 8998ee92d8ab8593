"""Privacy: what the law gives a person over the records of this service."""
