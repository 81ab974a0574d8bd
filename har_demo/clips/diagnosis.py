"""What a file is and whether it is whole, from its own bytes: reasons for the sentences of a refusal.

FFmpeg says of most files that it cannot open 'invalid data'; people want to know what happened to theirs.
"""

import os
from pathlib import Path

MP4_BOXES = {
    b"ftyp",
    b"moov",
    b"mdat",
    b"moof",
    b"free",
    b"skip",
    b"wide",
    b"styp",
    b"sidx",
    b"uuid",
}
MATROSKA, CLUSTER, SEGMENT = b"\x1aE\xdf\xa3", b"\x1fC\xb6u", b"\x18S\x80g"
JPEG = b"\xff\xd8\xff"
TS_PACKET = 188
SOME = 2000  # packets that are looked at
# Of the ASF specification: the objects Content Encryption and Extended Content Encryption.
ASF_ENCRYPTED = (
    bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"),
    bytes.fromhex("14e68a2922264c17b935dae07ee9289c"),
)


def mp4_boxes(path: Path | str) -> list[tuple[bytes, int, int]]:
    """Type, start and end of every outermost box of an mp4 or mov file; [] for another file.

    The end of the last one lies past the file's when the file was cut.
    """
    boxes: list[tuple[bytes, int, int]] = []
    with open(path, "rb") as file:
        size, start = os.fstat(file.fileno()).st_size, 0
        while start + 8 <= size and len(boxes) < 100_000:
            file.seek(start)
            head = file.read(16)
            length, kind = int.from_bytes(head[:4], "big"), head[4:8]
            if length == 1:
                length = int.from_bytes(head[8:16], "big")
            elif length == 0:
                length = size - start
            if length < 8 or not (kind in MP4_BOXES or boxes):
                break
            if boxes and not kind.isalnum():
                break  # not a box: something was appended
            boxes.append((kind, start, start + length))
            start += length
    return boxes


def ts_packet(head: bytes) -> int | None:
    """Bytes of each packet of a transport stream, by its beginning; None where they do not say.

    Camcorders put four bytes before each packet.
    """
    for length in (TS_PACKET, TS_PACKET + 4):
        marks = head[length - TS_PACKET : 10 * length : length]
        if marks and not marks.strip(b"G"):
            return length
    return None


def breaks_off(path: Path | str, container: str) -> bool | None:
    """Whether the file ends before the last part that it has begun; None where the container cannot tell.

    Of a transport stream, whether a packet does not begin where the one before ends.

    Args:
        container: FFmpeg's short name.
    """
    size = os.path.getsize(path)
    if container.startswith("mov,"):
        boxes = mp4_boxes(path)
        return bool(boxes) and (boxes[-1][2] > size or boxes[-1][0] == b"moof")
    with open(path, "rb") as file:
        head = file.read(SOME * TS_PACKET)
        if container == "mpegts" and (packet := ts_packet(head)):
            file.seek(0)
            first = packet - TS_PACKET  # byte of a packet that is always G
            marks = (part[first::packet] for part in iter(lambda: file.read(4096 * packet), b""))
            return size % packet != 0 or any(part.strip(b"G") for part in marks)
    if container == "avi":
        length = int.from_bytes(head[4:8], "little")
        return 8 + length > size if length else None
    if container == "matroska,webm" and SEGMENT in head:
        place = head.index(SEGMENT) + 4
        width = 9 - head[place].bit_length()
        length = int.from_bytes(head[place : place + width], "big") & ((1 << 7 * width) - 1)
        if length != (1 << 7 * width) - 1:  # all ones: a live recording, its length unknown
            return place + width + length > size
    return None


def refusal(path: Path | str) -> str | None:
    """What is the matter with a file that FFmpeg cannot open, to follow the file's name; None when unknown."""
    boxes = mp4_boxes(path)
    kinds = [kind for kind, _, _ in boxes]
    if kinds and kinds[0] in (b"styp", b"moof", b"sidx") and b"moov" not in kinds:
        return (
            "is one fragment of a stream, without the part that says how to read it: "
            "join it with the stream's first part, or save the whole film."
        )
    if kinds and b"moov" not in kinds and (b"mdat" in kinds or kinds[0] == b"ftyp"):
        return (
            "has no index (moov), since the recording was not finished: "
            "copy it again, or let the camera or app that made it repair it."
        )
    if kinds and kinds[-1] == b"moov" and boxes[-1][2] > os.path.getsize(path):
        return "breaks off within its index (moov): copy it again, or save the film again."
    with open(path, "rb") as file:
        head = file.read(16)
    if head.startswith(CLUSTER):
        return (
            "is one fragment of a stream, without the part that says how to read it: "
            "join it with the stream's first part, or save the whole film."
        )
    if head.startswith(JPEG) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return "is a photograph, not a video that can be read: upload a film."
    return None


def encrypted(path: Path | str, container: str) -> bool:
    """Whether the film is locked with a key (a rented film, a recording of pay television)."""
    if container.startswith("mov,"):
        for kind, start, end in mp4_boxes(path):
            if kind == b"moov":
                with open(path, "rb") as file:
                    file.seek(start)
                    index = file.read(min(end - start, 1 << 24))
                return b"encv" in index or b"drmi" in index
    with open(path, "rb") as file:
        head = file.read(SOME * TS_PACKET)
    if container == "asf":
        return any(mark in head for mark in ASF_ENCRYPTED)
    if container == "mpegts" and (packet := ts_packet(head)):
        marks = head[packet - TS_PACKET + 3 :: packet]
        return sum(mark >> 6 > 1 for mark in marks) > len(marks) / 2
    return False
