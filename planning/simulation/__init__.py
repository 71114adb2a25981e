"""The simulation of a hospital's machines, maintenance and engineers. Pure numpy, no Django."""
