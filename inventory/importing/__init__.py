"""Tables that people send: read, and each row's fate found by applying it."""
