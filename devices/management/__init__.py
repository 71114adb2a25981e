"""Commands of the device twin."""
