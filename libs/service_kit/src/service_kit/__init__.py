"""What every Trellis service shares."""
