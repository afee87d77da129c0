"""What each member of each request does: one table an operation."""
