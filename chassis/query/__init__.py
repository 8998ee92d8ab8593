"""Lists: one `Query` message for all of them, turned into a store's filter through each noun's allow-list."""
