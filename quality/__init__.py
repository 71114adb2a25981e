"""Quality assurance of machines: protocols, signed sessions, trends, certificates."""
