"""Who you are, what you may do, what you looked at."""
