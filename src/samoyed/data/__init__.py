"""Raw files to records and a Spec: one file per kind of data, feeds and caches."""
