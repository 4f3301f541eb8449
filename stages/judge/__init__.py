"""A verdict on every candidate: is it new, and is it good?"""
