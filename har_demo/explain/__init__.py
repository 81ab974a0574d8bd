"""Why a model answers as it does: what it looks at, and what happens when the clip changes."""
