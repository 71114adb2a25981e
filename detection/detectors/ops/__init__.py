"""Operators that mmdetection expects in `mmcv._ext`, for installations without a compiler.

`install(mode)` puts a small module in that place before anything imports `mmcv.ops`. It decides per
call, by the device of the tensor, whether this package's operators or mmcv's compiled ones answer
(see `extension`). Three operators are ours: `nms`, `roi_align_forward`, `roi_align_backward`.
"""

from __future__ import annotations

from .extension import Mode, describe, install

__all__ = ["Mode", "describe", "install"]
