"""Frameworks of competencies: imported as CASE packages, listed, published, held in memory with the catalog."""
