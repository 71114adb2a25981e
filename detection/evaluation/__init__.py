"""What a detector is worth, from what it found on annotated films: pure numbers, no torch.

`reading` puts films through a detector, `evidence` keeps what each film contributes, and every
figure, interval and comparison is computed from those rows alone.
"""
