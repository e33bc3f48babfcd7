"""Figures per scope, with their denominators, and with small groups kept out of sight."""
