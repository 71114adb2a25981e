"""Settings: `embedded` (one terminal, demo accounts), `production` (fails closed), `testing`."""
