"""The trellis command."""
