"""HTTP: the only place that imports aiohttp.web, besides app, keys and __main__."""
