"""Everything that is stored, given away line by line."""
