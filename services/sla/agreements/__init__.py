"""What was promised to whom: versioned agreements and their objectives."""
