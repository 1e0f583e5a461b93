"""CLAHE as graph operators, equal to `cv2.createCLAHE(clipLimit, tileGridSize).apply` to the bit.

`geometry` says where tiles, cells and weights lie, `tables` counts grey levels and makes a lookup
table per tile, `blend` mixes the tables of the four tiles around each pixel. `forms` and `compiled`
put these together for each runtime, `lab` turns colours into lightness and back.
"""

from tfpipe.ops.clahe.layer import ClaheLayer
from tfpipe.ops.clahe.op import Clahe, clahe

__all__ = ["Clahe", "ClaheLayer", "clahe"]
