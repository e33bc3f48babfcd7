"""How long what is kept: rules, legal holds that win, runs through all services, and what came of them."""
