"""Foreign bytes → nouns. Nothing that passes here needs to be doubted behind it."""
