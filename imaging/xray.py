"""Which DICOM objects are X-ray films."""

from __future__ import annotations

CR = "1.2.840.10008.5.1.4.1.1.1"
DX_FOR_PRESENTATION = "1.2.840.10008.5.1.4.1.1.1.1"
DX_FOR_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.1.1"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_CAPTURES = (
    SECONDARY_CAPTURE,
    "1.2.840.10008.5.1.4.1.1.7.1",  # multi-frame, 1 bit
    "1.2.840.10008.5.1.4.1.1.7.2",  # multi-frame, grey byte
    "1.2.840.10008.5.1.4.1.1.7.3",  # multi-frame, grey word
    "1.2.840.10008.5.1.4.1.1.7.4",  # multi-frame, true colour
)
_MODALITIES = ("CR", "DX", "RG")


def is_xray(sop_class_uid: str, modality: str) -> bool:
    """CR, DX, and secondary captures that say they are one."""
    if sop_class_uid in {CR, DX_FOR_PRESENTATION, DX_FOR_PROCESSING}:
        return True
    return sop_class_uid in _CAPTURES and modality in _MODALITIES
