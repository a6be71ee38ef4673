"""Microscope: the room that looks into networks, from one of six neurons to a trained one."""
