"""xAPI credentials: a key, a secret, scopes, one tenant."""
