"""Attachments: their data received, kept outside the statements, given back; signatures checked."""
