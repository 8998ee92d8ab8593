"""What each family of search terms finds, and what it costs."""
