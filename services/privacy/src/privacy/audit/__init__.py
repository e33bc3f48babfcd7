"""Who saw, changed, exported, erased or looked up what: chained, signed, shown."""
