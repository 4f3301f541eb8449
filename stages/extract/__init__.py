"""Photographs taken apart: the objects cut out, the bin without them, cut-outs turned upright."""
