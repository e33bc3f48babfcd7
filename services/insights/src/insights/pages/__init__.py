"""The report as a page: one file, no script, nothing from elsewhere."""
