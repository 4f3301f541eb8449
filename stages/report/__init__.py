"""The report: one page with the answer first, and everything that it rests on."""
