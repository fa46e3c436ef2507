"""The page that stands in for the console where it was not built."""

from __future__ import annotations

from typing import Final

UNBUILT_PAGE: Final = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Holdfast: the console is not built</title>
<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }
code { background: color-mix(in srgb, currentColor 10%, transparent); padding: .1em .3em; border-radius: .2em }
</style>
</head>
<body>
<h1>Holdfast is running, its console is not built</h1>
<p>This copy runs from its source. Build the console once and reload this page:</p>
<p><code>make ui</code></p>
<p>A wheel (<code>pip install "holdfast[server]"</code>) brings the console with it.</p>
<p>Meanwhile everything answers over HTTP:</p>
<ul>
<li><a href="/readyz">/readyz</a> whether each part is ready</li>
<li><a href="/metrics">/metrics</a> metrics of Holdfast itself</li>
<li><a href="/api/v1/openapi.json">/api/v1/openapi.json</a> the API</li>
</ul>
</body>
</html>
"""
