"""Who carries a patch out."""
