"""The products of the bins world: fourteen shapes with printed labels, and the fifteen groups they are photographed in."""

from __future__ import annotations

from dataclasses import dataclass

# COCO categories as in the thesis: its ids, and its letters as names.
CATEGORIES = (
    {"id": 0, "name": "E", "supercategory": "environment"},
    {"id": 2, "name": "T", "supercategory": "tube"},
    {"id": 3, "name": "B", "supercategory": "bottle"},
    {"id": 4, "name": "C", "supercategory": "can"},
    {"id": 6, "name": "S", "supercategory": "spray"},
)
ENVIRONMENT = 0

# Photographs with one, two, … six objects in the thesis's two groups; the others take their sum.
THESIS_COUNTS = {
    "tube_mint": (13, 10, 14, 11, 12, 91),  # its group 1
    "bottle_azure": (8, 10, 18, 30, 36, 48),  # its group 4
}
OTHER_COUNTS = tuple(a + b for a, b in zip(*THESIS_COUNTS.values(), strict=True))

Colour = tuple[int, int, int]  # red, green, blue


@dataclass(frozen=True)
class Shape:
    """A body lying on its side: half width and half thickness along its axis, both relative to the radius.

    `profile` holds (position along the axis 0…1, half width, half thickness); `cap` ends where the cap ends.
    """

    profile: tuple[tuple[float, float, float], ...]
    cap: float
    metal_ends: bool = False
    flat: bool = False  # lies on its front or its back only
    stands: float = 0.0  # probability that it stands upright


SHAPES = {
    "tube": Shape(
        ((0, 0.6, 0.6), (0.15, 0.64, 0.62), (0.16, 0.7, 0.6), (0.2, 0.92, 0.66), (0.55, 0.97, 0.46), (0.94, 1, 0.12),
         (1, 1, 0.08)), cap=0.155, flat=True),
    "slim tube": Shape(
        ((0, 0.42, 0.42), (0.1, 0.5, 0.5), (0.2, 0.52, 0.5), (0.21, 0.6, 0.55), (0.27, 0.86, 0.7), (0.6, 0.93, 0.5),
         (0.95, 1, 0.12), (1, 1, 0.1)), cap=0.205, flat=True),
    "round bottle": Shape(
        ((0, 0.4, 0.4), (0.13, 0.42, 0.42), (0.135, 0.34, 0.34), (0.17, 0.36, 0.36), (0.23, 0.72, 0.72),
         (0.3, 0.96, 0.96), (0.36, 1, 1), (0.96, 1, 1), (0.99, 0.93, 0.93), (1, 0.8, 0.8)), cap=0.133, stands=0.06),
    "oval bottle": Shape(
        ((0, 0.36, 0.36), (0.16, 0.38, 0.38), (0.17, 0.46, 0.42), (0.22, 0.8, 0.6), (0.32, 1, 0.68), (0.62, 0.93, 0.64),
         (0.95, 1, 0.66), (1, 0.88, 0.55)), cap=0.165, flat=True),
    "pump bottle": Shape(
        ((0, 0.2, 0.2), (0.07, 0.22, 0.22), (0.075, 0.42, 0.42), (0.16, 0.44, 0.44), (0.165, 0.3, 0.3), (0.2, 0.34, 0.34),
         (0.25, 0.94, 0.94), (0.28, 1, 1), (0.97, 1, 1), (1, 0.86, 0.86)), cap=0.163),
    "flask": Shape(
        ((0, 0.5, 0.46), (0.2, 0.56, 0.5), (0.205, 0.6, 0.5), (0.4, 0.88, 0.6), (0.75, 1, 0.66), (0.94, 0.95, 0.62),
         (1, 0.75, 0.5)), cap=0.203, flat=True),
    "can": Shape(
        ((0, 0.94, 0.94), (0.02, 1, 1), (0.05, 1, 1), (0.06, 0.97, 0.97), (0.94, 0.97, 0.97), (0.95, 1, 1), (0.98, 1, 1),
         (1, 0.94, 0.94)), cap=0.0, metal_ends=True, stands=0.2),
    "drink can": Shape(
        ((0, 0.74, 0.74), (0.03, 0.78, 0.78), (0.11, 1, 1), (0.92, 1, 1), (0.98, 0.82, 0.82), (1, 0.76, 0.76)),
        cap=0.0, metal_ends=True, stands=0.15),
    "spray": Shape(
        ((0, 0.5, 0.5), (0.02, 0.58, 0.58), (0.17, 0.62, 0.62), (0.175, 0.7, 0.7), (0.21, 0.9, 0.9), (0.25, 1, 1),
         (0.97, 1, 1), (0.98, 1.04, 1.04), (1, 1, 1)), cap=0.173, stands=0.1),
    "domed spray": Shape(
        ((0, 0.3, 0.3), (0.02, 0.6, 0.6), (0.07, 0.86, 0.86), (0.15, 0.97, 0.97), (0.24, 1, 1), (0.245, 0.95, 0.95),
         (0.26, 1, 1), (0.98, 1, 1), (1, 0.95, 0.95)), cap=0.247, stands=0.1),
}  # fmt: skip


@dataclass(frozen=True)
class Product:
    """One thing to be picked. Lengths are shares of the photograph's width."""

    name: str
    shape: str
    length: float
    radius: float
    base: Colour
    band: Colour
    ink: Colour
    cap: Colour
    brand: str
    pattern: str
    gloss: float = 0.35

    @property
    def category(self) -> int:
        kind = self.name.partition("_")[0]
        return next(c["id"] for c in CATEGORIES if c["supercategory"] == kind)


WHITE, BLACK, STEEL = (243, 243, 240), (32, 33, 36), (176, 180, 184)

PRODUCTS = {
    p.name: p
    for p in (
        Product("tube_mint", "tube", 0.215, 0.040, (238, 244, 240), (38, 158, 128), (16, 88, 74), (32, 140, 114), "MENTO", "leaf"),
        Product("tube_coral", "slim tube", 0.200, 0.034, (236, 106, 84), (250, 226, 208), (252, 244, 236), WHITE, "solea", "wave"),
        Product("tube_navy", "tube", 0.190, 0.036, (28, 48, 104), (214, 176, 84), (236, 222, 180), (214, 176, 84), "NORDIC", "stripe"),
        Product("bottle_azure", "round bottle", 0.235, 0.040, (30, 98, 186), (244, 246, 250), (20, 44, 112), WHITE, "AQUELLA", "drop"),
        Product("tube_sand", "slim tube", 0.230, 0.038, (222, 198, 158), (120, 76, 46), (84, 50, 30), (120, 76, 46), "Karit", "dots"),
        Product("bottle_pearl", "oval bottle", 0.220, 0.044, (240, 236, 230), (196, 120, 160), (110, 54, 92), (196, 120, 160), "perla", "wave", 0.5),
        Product("bottle_amber", "pump bottle", 0.230, 0.042, (150, 82, 24), (246, 232, 204), (66, 36, 14), BLACK, "APOTEK", "stripe", 0.55),
        Product("bottle_forest", "flask", 0.200, 0.046, (34, 92, 52), (226, 220, 128), (244, 240, 200), (20, 58, 34), "Skog", "leaf"),
        Product("can_cobalt", "can", 0.150, 0.050, (24, 62, 156), (240, 242, 246), (240, 242, 246), STEEL, "NOVA", "ring", 0.5),
        Product("can_rose", "drink can", 0.165, 0.042, (222, 92, 126), (250, 238, 240), (128, 22, 58), STEEL, "Rosa", "dots", 0.5),
        Product("can_silver", "can", 0.130, 0.056, (186, 190, 194), (196, 34, 40), (196, 34, 40), STEEL, "FERRO", "stripe", 0.7),
        Product("spray_night", "spray", 0.250, 0.036, (34, 34, 44), (124, 78, 196), (226, 216, 250), BLACK, "NOIR", "wave", 0.55),
        Product("spray_ice", "domed spray", 0.240, 0.034, (212, 232, 244), (64, 146, 206), (24, 80, 144), (64, 146, 206), "Isbre", "drop", 0.5),
        Product("spray_lime", "spray", 0.225, 0.038, (172, 208, 48), (252, 252, 244), (48, 92, 20), WHITE, "ZITRO", "ring", 0.45),
    )
}  # fmt: skip

MIXED = "mixed"  # the group that shows two products together, as one of the thesis's fifteen does
GROUPS = {name: (name,) for name in PRODUCTS} | {MIXED: ("tube_sand", "can_rose")}

# Faults planted for the health check, by (group, photograph): the thesis's image with six misclassified objects
# (2121) and its lone environment box (912).
MISCLASSIFIED = ("bottle_azure", 6)
LONE_ENVIRONMENT = ("can_cobalt", 3)
