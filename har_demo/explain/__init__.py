"""Explanations of a model's prediction: what it looks at, and what changes when the clip is edited."""
