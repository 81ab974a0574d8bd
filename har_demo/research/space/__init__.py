"""The folder that a Hugging Face Space is made of: built, checked against the Hub's rules, started once."""
