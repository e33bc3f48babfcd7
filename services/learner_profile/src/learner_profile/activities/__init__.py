"""The service's own view of the catalog: which activity serves which competencies."""
