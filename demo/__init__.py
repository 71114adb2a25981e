"""The demo hospital: real X-rays, really read; all else is synthetic and says so."""
