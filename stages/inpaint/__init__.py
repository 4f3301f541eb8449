"""What lay under an object: holes in pictures, filled."""
