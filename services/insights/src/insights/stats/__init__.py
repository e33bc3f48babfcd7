"""How much is here."""
