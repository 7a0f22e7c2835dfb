"""What the service does, as async functions by noun; no framework, no driver."""
