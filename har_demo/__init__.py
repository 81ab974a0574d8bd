"""Understand video action recognition: run every system of the field on one clip, side by side."""
