"""Notices: who is told what of maintenance that is coming, due, late, or changed."""
