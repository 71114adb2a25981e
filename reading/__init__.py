"""The reading room: worklist, film page, verdicts and signatures."""
