"""Studies and images: doors, archive, pixels, the grey-scale chain."""
