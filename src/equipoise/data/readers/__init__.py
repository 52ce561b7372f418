"""Research formats → Interactions, each read as its official source publishes it.

==========================  ==============================  ======================================
format                      functions                       official source
==========================  ==============================  ======================================
LightGCN, NGCF, KGAT        ``adjacency``, ``id_list``      github.com/gusye1234/LightGCN-PyTorch,
                                                            xiangwang1223/knowledge_graph_attention_network
SASRec, BERT4Rec            ``pairs``                       github.com/kang205/SASRec,
                                                            FeiSun/BERT4Rec
S3-Rec                      ``adjacency``, ``attributes``,  github.com/RUCAIBox/CIKM2020-S3Rec
                            ``negatives``
NCF                         ``pairs``, ``ratings``,         github.com/hexiangnan/
                            ``ncf_negatives``               neural_collaborative_filtering
MovieLens 100K, and later   ``ratings``, ``movielens``      grouplens.org/datasets/movielens
SR-GNN sessions             ``sessions``, ``prefixes``      github.com/CRIPAC-DIG/SR-GNN
coat                        ``coat``, ``dense``             cs.cornell.edu/~schnabts/mnar
HetRec 2011 Last.fm         ``plays``, ``friends``          grouplens.org/datasets/hetrec-2011
RetailRocket behaviours     ``behaviours``                  kaggle.com/datasets/retailrocket/
                                                            ecommerce-dataset
==========================  ==============================  ======================================

No byte of these sets comes with the package. A line that does not fit is refused with the file's
name and the line's number, counted from 1; empty lines are passed over.
"""

from equipoise.data.readers.lists import adjacency, attributes, id_list, negatives, pairs
from equipoise.data.readers.matrices import Coat, coat, dense
from equipoise.data.readers.ncf import ncf_negatives
from equipoise.data.readers.rows import behaviours, friends, movielens, plays, ratings
from equipoise.data.readers.sessions import Prefixes, prefixes, sessions

__all__ = [
    "Coat",
    "Prefixes",
    "adjacency",
    "attributes",
    "behaviours",
    "coat",
    "dense",
    "friends",
    "id_list",
    "movielens",
    "ncf_negatives",
    "negatives",
    "pairs",
    "plays",
    "prefixes",
    "ratings",
    "sessions",
]
