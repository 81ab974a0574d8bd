"""Optical flow: how far every point of a picture moves until the next one."""
