"""Filling holes: autoencoders, a GAN, and one that learns from images that are never complete."""
