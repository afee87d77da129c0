"""What a report becomes: a table, a page, and the forms that machines read."""
