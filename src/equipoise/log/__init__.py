"""The log: nouns' bytes, durable, in order, read again. All else is a fold over it."""
