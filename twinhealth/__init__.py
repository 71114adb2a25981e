"""The hall: settings, queue, addresses, errors. Rooms may import `errors`, `db` and `web` only."""
