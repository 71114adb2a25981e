"""Stub."""
def connect(): pass
