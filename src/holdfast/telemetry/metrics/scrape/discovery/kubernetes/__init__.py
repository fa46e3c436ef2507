"""Targets in a Kubernetes cluster: nodes, pods, services, endpoints, endpoint slices, ingresses.

Owns the access to the API server, the watches, and the labels of each role. Source: Prometheus 3, discovery/kubernetes.
"""

from holdfast.telemetry.metrics.scrape.discovery.kubernetes.cluster import ClusterTargets

__all__ = ["ClusterTargets"]
