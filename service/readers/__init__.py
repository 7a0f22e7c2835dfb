"""Ways of obtaining a document, one per module."""
