"""What maintenance needs beyond a plan and an order: tests, parts, calendars, what-if, notices."""
