"""The suites that come with reelbench, one TOML file each."""
