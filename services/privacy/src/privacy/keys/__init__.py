"""Which data key is whose: drawn, looked up, wrapped anew, destroyed."""
