"""The site: an overview, a page a benchmark and a page a method, drawn from the record with Jinja.

Every page stands alone: style and script are in it, film strips beside it. Numbers come from `leaderboard`, their
form from `numbers`; nothing is computed in a template.
"""
