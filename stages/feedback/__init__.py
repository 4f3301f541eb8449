"""Feedback: green candidates become training data, with labels that can be trusted."""
