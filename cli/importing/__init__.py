"""Loading what others have written down: files in, bulk streams out."""
