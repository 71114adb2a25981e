"""The patient twin: identity and observations."""
