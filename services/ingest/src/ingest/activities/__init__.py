"""Activities as all statements together describe them."""
