"""PromQL: text becomes nodes (`parser`), nodes become answers over a source of samples (`engine`).

Knows the language of Prometheus 3 and nothing of where samples live, of HTTP or of tenants' limits.
"""
