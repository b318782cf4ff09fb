"""What people may ask for; each refuses with a sentence."""
