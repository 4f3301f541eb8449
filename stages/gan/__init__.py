"""Generative adversarial networks: those of the thesis, trained on few images."""
