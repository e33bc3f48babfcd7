"""The profiles that a credential may have: what is taken from its emitter beyond the standard."""

from enum import StrEnum


class Profile(StrEnum):
    """`strict` is the standard, to the letter; every other name is an emitter whose ways are known."""

    strict = "strict"
    moodle = "moodle"
    open_edx = "open-edx"
    h5p = "h5p"
    cmi5 = "cmi5"
    video = "video"
