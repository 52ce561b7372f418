"""Folds over the log: what we know now."""

from equipoise.state.catalogue import Catalogue
from equipoise.state.counts import Counts
from equipoise.state.identities import Identities
from equipoise.state.shoppers import Shoppers
from equipoise.state.tallies import Tallies
from equipoise.state.tempo import Tempo

__all__ = ["Catalogue", "Counts", "Identities", "Shoppers", "Tallies", "Tempo"]
