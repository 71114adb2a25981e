"""What every room's street side shares: the error shape, paging, middleware, template tags."""
