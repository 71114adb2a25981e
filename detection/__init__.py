"""The reader: runs of the detector over films, findings, reviews, signatures."""
