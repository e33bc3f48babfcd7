"""What can be learnt: imported as JSON Lines, listed, published, held in memory for ranking."""
