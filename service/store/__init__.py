"""The only place that imports motor, pymongo and bson."""
