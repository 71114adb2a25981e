"""What if: maintenance simulated before it is changed, and a schedule proposed."""
