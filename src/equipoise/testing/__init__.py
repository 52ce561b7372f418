"""The laws, importable: what every implementation of a protocol must hold to, ours and yours."""
