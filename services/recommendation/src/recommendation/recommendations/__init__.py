"""What next, and why."""
