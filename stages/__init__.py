"""What runs: one folder for each concern, one module for each DVC stage."""
