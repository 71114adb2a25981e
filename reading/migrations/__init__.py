"""Database changes of the room."""
