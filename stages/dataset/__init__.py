"""From photographs and their annotations to data that can be trained on."""
