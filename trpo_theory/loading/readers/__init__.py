"""One file a reader: each module here defines `READER`, a `trpo_theory.loading.reader.Reader`, and is found by listing."""
