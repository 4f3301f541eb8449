"""What lay under an object: holes in pictures, filled by simple means and by networks that learn to."""
