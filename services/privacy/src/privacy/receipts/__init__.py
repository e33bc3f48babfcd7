"""What the other services say they have carried out."""
