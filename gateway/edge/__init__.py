"""The edge: a generated, validated Envoy configuration. Start at `bootstrap.bootstrap(EdgeSettings(...))`."""
