"""The built-in world: photographs of products in a grey bin, drawn, with exact truth."""
