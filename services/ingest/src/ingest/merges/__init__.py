"""Which learners are one person, by explicit call; nothing that is stored is touched by it."""
