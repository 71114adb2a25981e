"""What a detector is worth, said with its uncertainty: numpy and pycocotools, never torch.

`evidence` keeps what a detector said of each film; all figures are computed from such rows, so
another figure, another interval or a comparison of two versions needs no film to be read again.
"""
