"""One file for each family of rows of the table; `bench/__main__.py` lists them."""
