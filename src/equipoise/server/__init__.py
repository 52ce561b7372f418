"""The HTTP face: one file per group of the contract, all over one ``Live`` engine."""
