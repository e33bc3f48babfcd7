"""Activities with evidence that the catalog puts to no competency."""
