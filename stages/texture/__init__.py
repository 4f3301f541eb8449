"""Textures of any size: a generator that is convolution all through, fed with noise as large as wanted."""
