"""The thesis's networks, on pictures with a mask."""

from __future__ import annotations

from stages.compose.generated_objects import CHANNELS
from stages.gan.gan_pair import GanPair


class MaskedGan(GanPair):
    """The thesis's networks, on pictures with a mask."""

    channels = CHANNELS
