"""Cluster: the same commands on more than one machine, with Ray; see docs/cluster.md."""
