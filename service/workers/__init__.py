"""Work beside the requests: heavy comparisons, relays, deadlines."""
