"""Annotated photographs of other formats than COCO: found out which, read as strictly, written as COCO."""
