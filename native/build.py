"""Build the native diff core where cargo is found; say so where it is not. (The core follows.)"""
