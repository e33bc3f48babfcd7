"""Mastery, forgetting, interest and pace as pure folds over evidence."""
