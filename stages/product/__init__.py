"""A product's detector to take away: weights, what is known about them, and a command that looks at photographs."""
