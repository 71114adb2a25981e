"""The demo hospital: real X-rays, really read; machines, people and times are synthetic and say so."""
