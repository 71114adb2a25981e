"""A made-up fleet of X-ray machines: small physics, named faults, and the truth beside them. Pure.

`fleet.simulate` integrates every machine at steps of five minutes and gives what its sensors would
have sent; `truth.rows` says which machine had which fault when. Nothing in `devices/` reads that
table. The same seed gives the same machine, whatever else is in the fleet and however long it runs.

Magnitudes are chosen to look like a radiography room unless a line names a source: they show how
rules behave, not how often real machines fail.
"""
