"""What this LRS speaks."""
