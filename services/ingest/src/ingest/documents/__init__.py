"""Documents beside statements: activity state, activity profiles, agent profiles. One mechanism for the three."""
