"""What readers do with the line: skip, ask for help, look again, change the urgency."""
