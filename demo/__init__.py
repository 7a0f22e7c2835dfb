"""What the service does, shown: `make demo` starts one, plays scenes against it and checks how each came out."""
