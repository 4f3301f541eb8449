"""Candidates made of what a few images show: their objects placed anew, or the whole images changed."""
