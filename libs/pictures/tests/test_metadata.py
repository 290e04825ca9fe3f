"""What is known about pictures beside their pixels: of EXIF, XMP, IPTC, PNG, files beside them, and their names."""

from __future__ import annotations

import json
import struct
import tracemalloc
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base
from PIL.PngImagePlugin import PngInfo
from sightline_pictures import open_picture, read_tags
from sightline_pictures.metadata import (
    Date,
    DateSource,
    Metadata,
    Place,
    Tags,
    combine,
    is_sidecar,
    read_embedded,
    read_name,
    read_sidecar,
    sidecar_keys,
    stamp_of,
)
from sightline_pictures.metadata.exif import read_exif

PILLOW_WARNS = pytest.mark.filterwarnings("ignore::UserWarning")
EXIF = DateSource.EXIF


@pytest.fixture(scope="session")
def photo() -> Image.Image:
    """A small picture."""
    return Image.linear_gradient("L").resize((32, 24)).convert("RGB")


def tags_of(data: bytes) -> Tags:
    """The tags of a file, which are the same with and without its pixels."""
    found = open_picture(data, max_bytes=1 << 26, max_pixels=10**8).tags
    assert read_tags(data) == found
    return found


def exif_of(details=None, gps=None, **tags) -> Image.Exif:
    exif = Image.Exif()
    for name, value in tags.items():
        exif[Base[name]] = value
    exif.get_ifd(IFD.Exif).update(details or {})
    exif.get_ifd(IFD.GPSInfo).update(gps or {})
    return exif


def xmp_of(inner: str = "", **attributes: str) -> bytes:
    names = " ".join(f'{name.replace("_", ":")}="{value}"' for name, value in attributes.items())
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" '
        'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:aux="http://ns.adobe.com/exif/1.0/aux/" '
        f'{names}>{inner}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def taken(data: bytes) -> tuple[str, str | None, str] | None:
    """Wall time, offset and source of a file's date."""
    return shown(combine([tags_of(data)]))


def shown(found: Metadata) -> tuple[str, str | None, str] | None:
    return None if found.taken_at is None else (found.taken_at.isoformat(), found.taken_offset, found.taken_from)


ORIGINAL = {Base.DateTimeOriginal: "2021:07:03 09:15:00"}


@pytest.mark.parametrize(
    ("exif", "expected"),
    [
        (exif_of(ORIGINAL), ("2021-07-03T09:15:00", None, "exif")),
        (
            exif_of({Base.DateTimeOriginal: "2021:07:03 01:15:00", Base.OffsetTimeOriginal: "+02:00"}),
            ("2021-07-03T01:15:00", "+02:00", "exif"),
        ),
        (
            exif_of({Base.DateTimeOriginal: "2021:07:03 23:15:00", Base.OffsetTime: "-05:30"}),
            ("2021-07-03T23:15:00", "-05:30", "exif"),
        ),
        (exif_of(ORIGINAL | {Base.SubsecTimeOriginal: "25 "}), ("2021-07-03T09:15:00.250000", None, "exif")),
        (exif_of(ORIGINAL | {Base.OffsetTimeOriginal: "+99:00"}), ("2021-07-03T09:15:00", None, "exif")),
        (exif_of(DateTime="2020:01:02 03:04:05"), ("2020-01-02T03:04:05", None, "exif-modified")),
        (exif_of(ORIGINAL, DateTime="2024:01:01 00:00:00"), ("2021-07-03T09:15:00", None, "exif")),
        (
            exif_of({Base.DateTimeOriginal: "0000:00:00 00:00:00", Base.DateTimeDigitized: "2019:01:01 10:00:00"}),
            ("2019-01-01T10:00:00", None, "exif-digitized"),
        ),
        (exif_of({Base.DateTimeOriginal: "2021:13:45 09:15:00"}), None),
        (exif_of({Base.DateTimeOriginal: "    :  :     :  :  "}), None),
        (exif_of({Base.DateTimeOriginal: "9999:01:01 00:00:00"}), None),
        (exif_of({Base.DateTimeOriginal: "0001:01:01 00:00:00", Base.OffsetTimeOriginal: "+14:00"}), None),
        (exif_of({Base.DateTimeOriginal: "1980:01:01 00:00:00"}), None),
        (exif_of({Base.DateTimeOriginal: "1970:01:01 00:00:00"}), None),
        (exif_of({Base.DateTimeOriginal: "1980:01:01 00:00:07"}), ("1980-01-01T00:00:07", None, "exif")),
        (exif_of({Base.DateTimeOriginal: "yesterday"}), None),
    ],
)
def test_the_wall_time_comes_from_exif_as_it_stands_and_nonsense_is_ignored(exif, expected, photo, file_of):
    for name in ("JPEG", "PNG", "WebP", "TIFF", "HEIC", "AVIF"):
        if name == "TIFF" and expected and expected[2] == "exif-modified":
            continue  # Pillow writes its own
        assert taken(file_of(photo, name, exif=exif.tobytes())) == expected, name


@pytest.mark.parametrize(
    ("make", "model", "expected"),
    [
        ("Canon", "Canon EOS 5D", "Canon EOS 5D"),
        ("NIKON CORPORATION", "NIKON D70", "NIKON D70"),
        ("SONY", "ILCE-7M3", "SONY ILCE-7M3"),
        ("Apple", "iPhone 12\0\0\0", "Apple iPhone 12"),
        ("  OLYMPUS   OPTICAL ", "", "OLYMPUS OPTICAL"),
        ("", "X100", "X100"),
        ("", "", None),
        ("Evil\n<b>\x07", "x" * 500, ("Evil <b> " + "x" * 500)[:100]),
    ],
)
def test_the_camera_is_named_once(make, model, expected, photo, file_of):
    assert tags_of(file_of(photo, "JPEG", exif=exif_of(Make=make, Model=model))).camera == expected


VIENNA = {GPS.GPSLatitudeRef: "N", GPS.GPSLatitude: (48.0, 12.0, 29.52), GPS.GPSLongitudeRef: "E"}


@pytest.mark.parametrize(
    ("gps", "expected"),
    [
        (VIENNA | {GPS.GPSLongitude: (16.0, 22.0, 25.68)}, (48.2082, 16.3738)),
        (VIENNA | {GPS.GPSLatitudeRef: "S", GPS.GPSLongitudeRef: "W", GPS.GPSLongitude: (16.5,)}, (-48.2082, -16.5)),
        (VIENNA | {GPS.GPSLongitude: (216.0, 22.0, 25.68)}, None),
        (VIENNA, None),
        (
            {key: value for key, value in VIENNA.items() if key != GPS.GPSLongitudeRef} | {GPS.GPSLongitude: (1.0,)},
            None,
        ),
        (
            {GPS.GPSLatitudeRef: "N", GPS.GPSLatitude: (0.0, 0.0, 0.0)}
            | {GPS.GPSLongitudeRef: "E", GPS.GPSLongitude: (0.0, 0.0, 0.0)},
            None,
        ),
    ],
)
def test_the_place_is_read_where_it_is_one(gps, expected, photo, file_of):
    assert tags_of(file_of(photo, "JPEG", exif=exif_of(gps=gps).tobytes())).place == expected


def test_lens_rating_and_keywords_are_read_within_bounds(photo, file_of):
    exif = exif_of({0xA433: "Canon", 0xA434: "EF50mm f/1.8 II"})
    exif[0x4746] = 4
    exif[0x9C9E] = "sea;hill\x07;sea".encode("utf-16-le") + b"\0\0"
    found = tags_of(file_of(photo, "JPEG", exif=exif.tobytes()))
    assert (found.lens, found.rating, found.keywords) == ("Canon EF50mm f/1.8 II", 4, ("sea", "hill"))
    many = "".join(f"<rdf:li>{number} {'x' * 200}</rdf:li>" for number in range(250))
    found = tags_of(file_of(photo, "JPEG", xmp=xmp_of(f"<dc:subject><rdf:Bag>{many}</rdf:Bag></dc:subject>")))
    assert len(found.keywords) == 100
    assert max(map(len, found.keywords)) == 100


@pytest.mark.parametrize(
    ("xmp", "expected"),
    [
        (xmp_of(photoshop_DateCreated="1975-06-07T08:09:10+02:00"), ("1975-06-07T08:09:10", "+02:00", "xmp")),
        (xmp_of("<xmp:CreateDate>2008-08-08T23:30</xmp:CreateDate>"), ("2008-08-08T23:30:00", None, "xmp-created")),
        (xmp_of(exif_DateTimeOriginal="2008-08-08T23:30:00.5Z"), ("2008-08-08T23:30:00.500000", "+00:00", "xmp")),
        (xmp_of(photoshop_DateCreated="1975-06"), ("1975-06-01T00:00:00", None, "xmp")),
        (xmp_of(photoshop_DateCreated="1975-02-30"), None),
        (b'<!DOCTYPE x [<!ENTITY a "2008">]>' + xmp_of(photoshop_DateCreated="2008-01-01"), None),
        (xmp_of(photoshop_DateCreated="2008-01-01")[:-60], None),
    ],
)
def test_dates_inside_xmp(xmp, expected, photo, file_of):
    assert taken(file_of(photo, "JPEG", xmp=xmp)) == expected
    assert taken(file_of(photo, "WebP", xmp=xmp)) == expected
    if not xmp.startswith(b"<!DOCTYPE"):
        assert shown(combine([read_embedded(b"8BPS" + bytes(100) + xmp, {})])) == expected


def test_only_what_xmp_says_of_the_picture_itself_counts(photo, file_of):
    other = "<rdf:Description xmlns:p='x'><p:part rdf:parseType='Resource'><rdf:Description "
    nested = f"{other} photoshop:DateCreated='1999-01-01'/></p:part></rdf:Description>"
    assert taken(file_of(photo, "JPEG", xmp=xmp_of(f"<dc:source>{nested}</dc:source>"))) is None
    place = xmp_of(exif_GPSLatitude="48,12.492N", exif_GPSLongitude="16,22,25.68W", xmp_Rating="-1", aux_Lens="50mm")
    found = tags_of(file_of(photo, "JPEG", xmp=place))
    assert (found.place, found.rating, found.lens) == ((48.2082, -16.3738), -1, "50mm")


def png(photo, **chunks) -> bytes:
    """A PNG whose metadata follows its pixels, as exiftool writes it."""
    out = BytesIO()
    photo.save(out, "PNG", pnginfo=chunks.pop("info", None))
    data = out.getvalue()
    for kind, body in chunks.items():
        raw = kind.encode() + body
        data = data[:-12] + struct.pack(">I", len(body)) + raw + struct.pack(">I", zlib.crc32(raw)) + data[-12:]
    return data


def test_dates_of_png(photo):
    created = PngInfo()
    created.add_text("Creation Time", "Fri, 08 Aug 2008 23:30:00 +0800")
    assert taken(png(photo, info=created)) == ("2008-08-08T23:30:00", "+08:00", "png")
    modified = struct.pack(">HBBBBB", 2008, 8, 8, 23, 30, 0)
    assert taken(png(photo, tIME=modified)) == ("2008-08-08T23:30:00", "+00:00", "png-modified")
    exif = exif_of(ORIGINAL).tobytes()
    assert taken(png(photo, tIME=modified, eXIf=exif[6:])) == ("2021-07-03T09:15:00", None, "exif")
    xmp = b"XML:com.adobe.xmp\0\0\0\0\0" + xmp_of(photoshop_DateCreated="1975-06-07")
    assert taken(png(photo, iTXt=xmp)) == ("1975-06-07T00:00:00", None, "xmp")
    # As ImageMagick writes it; and what unpacks to more than a text may have.
    digits = f"\nexif\n{len(exif):8}\n{exif.hex()}\n".encode()
    assert taken(png(photo, zTXt=b"Raw profile type exif\0\0" + zlib.compress(digits))) is not None
    bomb = png(photo, zTXt=b"Raw profile type exif\0\0" + zlib.compress(bytes(50_000_000)))
    assert read_embedded(bomb, {}) == Tags()


def test_date_and_keywords_of_iptc(photo, file_of):
    records = [(1, 90, b"\x1b%G"), (2, 25, "Höhe".encode()), (2, 55, b"20080808"), (2, 60, b"233000+0800")]
    jpeg = with_iptc(file_of(photo, "JPEG"), records)
    assert taken(jpeg) == ("2008-08-08T23:30:00", "+08:00", "iptc")
    assert tags_of(jpeg).keywords == ("Höhe",)


def titled(photo, file_of, source: str) -> bytes:
    """A picture with a title by one source."""
    if source == "png":
        info = PngInfo()
        info.add_itxt("Title", "H\u00f6he")
        return png(photo, info=info)
    if source == "iptc":
        records = [(5, "H\u00f6he".encode()), (120, b"Seen from  the\nvalley"), (5, b"Another")]
        return with_iptc(file_of(photo, "JPEG"), [(2, number, value) for number, value in records])
    if source == "exif":
        exif = exif_of(ImageDescription="Seen from the valley")
        exif[0x9C9B] = "H\u00f6he".encode("utf-16-le") + b"\0\0"
        return file_of(photo, "JPEG", exif=exif.tobytes())
    texts = "".join(
        f"<dc:{name}><rdf:Alt><rdf:li>{text}</rdf:li><rdf:li>other</rdf:li></rdf:Alt></dc:{name}>"
        for name, text in (("title", "H\u00f6he"), ("description", "Seen from the valley"))
    )
    return file_of(photo, "JPEG", xmp=xmp_of(texts))


def with_iptc(jpeg: bytes, records) -> bytes:
    """A JPEG with records of IPTC."""
    data = b"".join(b"\x1c" + bytes(name) + struct.pack(">H", len(value)) + value for *name, value in records)
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(data)) + data + b"\0" * (len(data) % 2)
    body = b"Photoshop 3.0\0" + resource
    return jpeg[:2] + b"\xff\xed" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


@pytest.mark.parametrize("source", ["xmp", "iptc", "exif", "png"])
def test_title_and_description_are_one_text(source, photo, file_of):
    expected = "H\u00f6he" if source == "png" else "H\u00f6he \u2013 Seen from the valley"
    assert tags_of(titled(photo, file_of, source)).title == expected


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("OLYMPUS DIGITAL CAMERA         ", None),
        ("SONY DSC", None),
        ("   ", None),
        ("A digital camera on a table", "A digital camera on a table"),
        ("x" * 5000, "x" * 500),
    ],
)
def test_what_cameras_write_into_every_picture_is_no_title(description, expected, photo, file_of):
    exif = exif_of(ImageDescription=description)
    assert tags_of(file_of(photo, "JPEG", exif=exif.tobytes())).title == expected


def test_metadata_of_other_formats(photo):
    exif, xmp = exif_of(ORIGINAL, Make="Canon").tobytes()[6:], xmp_of(photoshop_DateCreated="1975-06-07")

    def box(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body) + 8) + kind + body

    head = b"\0\0\0\x0cJXL \r\n\x87\n" + box(b"ftyp", b"jxl \0\0\0\0jxl ")
    found = read_embedded(head + box(b"Exif", bytes(4) + exif) + box(b"xml ", xmp) + b"\0\0\0\1jxlc", {})
    assert [one.source for one in found.dates] == [EXIF, DateSource.XMP]
    # As a raw file of Canon holds them: the details are a directory of their own.
    details = b"II*\0\x08\0\0\0\1\0" + struct.pack("<HHLL", Base.DateTimeOriginal, 2, 20, 22) + b"2021:07:03 09:15:00\0"
    found = read_embedded(b"\0\0\0\x18ftypcrx ", {"exif": [exif_of(Make="Canon").tobytes()[6:], details]})
    assert (found.camera, found.dates[0].wall_time) == ("Canon", datetime(2021, 7, 3, 9, 15))
    for end in range(len(head), len(head) + 60):
        read_embedded((head + box(b"Exif", bytes(4) + exif))[:end] + b"\0\0\0\1", {})


@PILLOW_WARNS
def test_broken_exif_does_not_matter(photo, file_of):
    exif = exif_of(ORIGINAL, VIENNA | {GPS.GPSLongitude: (16.0,)}, Make="Canon").tobytes()
    for length in range(8, len(exif), 3):
        picture = open_picture(file_of(photo, "JPEG", exif=exif[:length]), max_bytes=1 << 26, max_pixels=10**8)
        assert picture.image.size == (32, 24)
    for place in range(len(exif) - 6):
        read_exif(exif[6 : 6 + place] + b"\xff" + exif[7 + place :])


def test_a_directory_whose_values_are_each_the_whole_file_takes_little_memory():
    tags = range(0x100, 0x100 + 60_000)
    head = b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags))
    data = head + b"".join(struct.pack("<HHLL", tag, 3, 5_000_000, 8) for tag in tags) + bytes(10_000_000)
    tracemalloc.start()
    try:
        assert read_embedded(data, {}) == Tags()
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("IMG_20230101_123456.jpg", "2023-01-01T12:34:56"),
        ("PXL_20230101_123456789.MP.jpg", "2023-01-01T12:34:56.789000+00:00"),
        ("20230101_123456.jpg", "2023-01-01T12:34:56"),
        ("IMG20230101123456.jpg", "2023-01-01T12:34:56"),
        ("VID_20230101_123456(1).jpg", "2023-01-01T12:34:56"),
        ("Screenshot_2023-01-01-12-34-56.png", "2023-01-01T12:34:56"),
        ("Screenshot_20230101-123456_Chrome.png", "2023-01-01T12:34:56"),
        ("Screenshot 2023-01-01 at 9.05.06\u202fPM.png", "2023-01-01T21:05:06"),
        ("Screenshot from 2023-01-01 12-34-56.png", "2023-01-01T12:34:56"),
        ("WhatsApp Image 2023-01-01 at 12.34.56 AM (1).jpeg", "2023-01-01T00:34:56"),
        ("IMG-20230101-WA0001.jpg", "2023-01-01"),
        ("signal-2023-01-01-123456.jpg", "2023-01-01T12:34:56"),
        ("signal-2023-01-01-12-34-56-789_001.jpg", "2023-01-01T12:34:56.789000"),
        ("photo_2023-01-01_12-34-56.jpg", "2023-01-01T12:34:56"),
        ("2008-08-08 12.34.56.jpg", "2008-08-08T12:34:56"),
        ("FB_IMG_1672576496789.jpg", "2023-01-01T12:34:56+00:00"),
        ("20230101_999999.jpg", "2023-01-01"),
        ("Trip 2008-08-08 b.jpg", "2008-08-08"),
        ("2008-08-08/IMG_1234.jpg", None),
        ("IMG_1234.jpg", None),
        ("12345678.jpg", None),
        ("20231301.jpg", None),
        ("20991231_120000.jpg", None),
        ("1024-12-31.png", None),
        ("a1220230101_123456.jpg", None),
        ("2560x1440.png", None),
    ],
)
def test_dates_in_names(name, expected):
    dates = read_name(f"folder/{name}").dates
    found = [
        (one.wall_time.isoformat() if one.has_time else one.wall_time.date().isoformat()) + "+00:00" * one.is_utc
        for one in dates
    ]
    assert found == ([expected] if expected else [])


def takeout(timestamp: int, **rest: object) -> bytes:
    return json.dumps({"title": "b.jpg", "photoTakenTime": {"timestamp": str(timestamp)}} | rest).encode()


def test_files_beside_a_picture():
    evening = int(datetime(2008, 8, 8, 22, 30, tzinfo=UTC).timestamp())
    geo = {"latitude": 48.2082, "longitude": 16.3738, "altitude": 0}
    found = read_sidecar("a/b.jpg.json", takeout(evening, geoData=geo, geoDataExif={"latitude": 0.0, "longitude": 0.0}))
    assert found.place == Place(48.2082, 16.3738)
    assert shown(combine([found])) == ("2008-08-08T22:30:00", "+00:00", "takeout")
    found = read_sidecar("a/b.xmp", xmp_of(exif_DateTimeOriginal="2008-08-08T23:30:00", xmp_Rating="5"))
    assert shown(combine([found])) == ("2008-08-08T23:30:00", None, "sidecar")
    assert found.rating == 5


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"photoTakenTime": 7}',
        b'{"photoTakenTime": {"timestamp": "1e99"}}',
        takeout(0), takeout(-(10**30)), takeout(10**30), takeout(4_000_000_000), b"\xff\xfe\x00",
        b'{"photoTakenTime": {"timestamp": ' + b"9" * 5000 + b"}}",
        json.dumps({"photoTakenTime": {}, "geoData": {"latitude": 91, "longitude": "x"}}).encode(),
    ],
)  # fmt: skip
def test_what_is_not_of_takeout_says_nothing(data):
    assert read_sidecar("a/b.jpg.json", data) == Tags()


LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 9))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"<", b"<a/>", b"\0" * 100, b"<a>" * 200_000, b"x" * 5_000_000, "<a/>".encode("utf-16"),
        f'<!DOCTYPE a [<!ENTITY a0 "ha">{LAUGHS}]><a>&a8;</a>'.encode(),
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        b'<?xml version="1.0" encoding="no-such"?><a/>',
    ],
)  # fmt: skip
def test_what_is_not_xmp_says_nothing(data):
    assert read_sidecar("a/b.xmp", data) == Tags()


@pytest.mark.parametrize(
    ("picture", "sidecar"),
    [
        ("b.jpg", "b.jpg.xmp"),
        ("b.jpg", "b.xmp"),
        ("b.jpg", "b.XMP"),
        ("b.jpg", "b.jpg.json"),
        ("b.jpg", "b.jpg.supplemental-metadata.json"),
        ("b.jpg", "b.jpg.suppl.json"),
        ("PXL_20230101_123456789.jpg", "PXL_20230101_123456789.jpg.supplemental-metada.json"),
        ("b(1).jpg", "b.jpg(1).json"),
        ("b(1).jpg", "b.jpg.supplemental-metadata(1).json"),
        ("b-edited.jpg", "b.jpg.supplemental-metadata.json"),
        (f"{'l' * 47}.jpg", f"{'l' * 46}.json"),
    ],
)
def test_a_sidecar_is_known_by_its_name(picture, sidecar):
    assert f"x.y/{sidecar}" in sidecar_keys(f"x.y/{picture}")
    assert is_sidecar(f"x.y/{sidecar}")
    assert not is_sidecar(f"x.y/{picture}")


def test_other_files_are_not_sidecars():
    assert not any(map(is_sidecar, ("package.json", ".xmp", "a/.json", "b.jpg/notes.json", "b.jpg", "b.jpg.txt")))


def test_a_stamp_changes_with_the_sidecars():
    one = [("a.xmp", "1"), ("a.jpg.json", "2")]
    assert stamp_of(one) == stamp_of(reversed(one)) != stamp_of(one[:1]) != stamp_of([("a.xmp", "2")])
    assert stamp_of([]) is None


NOON = datetime(2008, 8, 8, 12)


def date(source: DateSource, hours: float = 0, **rest) -> Tags:
    return Tags(dates=(Date(source, NOON + timedelta(hours=hours), **rest),))


DAY = Tags(dates=(Date(DateSource.NAME, datetime(2008, 8, 8), has_time=False),))
UTC_ALONE = {"offset": 0, "is_utc": True}


@pytest.mark.parametrize(
    ("sources", "hour", "offset", "source"),
    [
        ([date(source) for source in reversed(DateSource)], 12, None, "sidecar"),
        ([date(DateSource.TAKEOUT, -2, **UTC_ALONE), date(EXIF)], 12, "+02:00", "exif"),
        ([date(DateSource.TAKEOUT, -2.1, **UTC_ALONE), date(EXIF)], 12, None, "exif"),
        ([date(DateSource.TAKEOUT, **UTC_ALONE), date(EXIF)], 12, None, "exif"),
        ([date(DateSource.TAKEOUT, -20, **UTC_ALONE), date(EXIF)], 12, None, "exif"),
        ([date(DateSource.TAKEOUT, -2, **UTC_ALONE)], 10, "+00:00", "takeout"),
        ([date(DateSource.TAKEOUT, 3.5, **UTC_ALONE), date(DateSource.NAME)], 12, "-03:30", "takeout"),
        ([date(DateSource.SIDECAR), date(EXIF, offset=-480)], 12, "-08:00", "sidecar"),
        ([date(DateSource.SIDECAR), date(EXIF, 1, offset=-480)], 12, None, "sidecar"),
        ([DAY, date(DateSource.EXIF_MODIFIED)], 12, None, "exif-modified"),
        ([DAY, date(DateSource.EXIF_MODIFIED, 24)], 0, None, "name"),
    ],
)
def test_of_several_dates_the_best_source_counts_and_others_complete_it(sources, hour, offset, source):
    found = combine(sources)
    assert (found.taken_at, found.taken_offset, found.taken_from) == (NOON.replace(hour=hour), offset, source)


def test_of_all_else_what_comes_first_counts_and_keywords_add_up():
    one = Tags(camera="A", keywords=("x", "y"))
    other = replace(one, camera="B", place=Place(1, 2), keywords=("y", "z"), rating=3)
    found = combine([one, other])
    assert (found.camera, found.place, found.rating, found.keywords) == ("A", Place(1, 2), 3, ("x", "y", "z"))
    assert combine([]) == Metadata()
