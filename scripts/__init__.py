"""Programs of the house: start, test, lock."""
