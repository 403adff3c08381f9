"""Pictures that nobody has vouched for: read within bounds, and never from outside the folder."""

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image

from latentlab.data.images import ImageFile, StoredImage, find_inside, inside, read_image
from latentlab.errors import UserError


def png(path, width, height):
    """A PNG file that says it is so large, and holds next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n"
    for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")):
        check = struct.pack(">I", zlib.crc32(kind + data))
        content += struct.pack(">I", len(data)) + kind + data + check
    path.write_bytes(content)
    return path


def jpeg(side=64):
    stream = BytesIO()
    Image.effect_noise((side, side), 50).save(stream, "JPEG")
    return stream.getvalue()


def test_pictures_become_rgb_at_their_own_size_or_the_one_asked_for(tmp_path):
    Image.new("LA", (6, 3), (7, 255)).save(tmp_path / "a.png")
    source = ImageFile(tmp_path / "a.png")
    own, square = read_image(source), read_image(source, 280)
    assert (own.mode, own.size, own.getpixel((0, 0))) == ("RGB", (6, 3), (7, 7, 7))
    assert (square.mode, square.size) == ("RGB", (280, 280))


def test_resizing_is_that_of_the_release(tmp_path):
    (tmp_path / "a.jpg").write_bytes(jpeg())
    source = ImageFile(tmp_path / "a.jpg")
    assert read_image(source, 28).tobytes() == read_image(source).resize((28, 28)).tobytes()


@pytest.mark.parametrize(
    ("width", "height", "message"),
    [
        (20_000, 10_000, "far too many pixels, more than the 80 megapixels that are read; scale"),
        (10_000, 9_000, "90 megapixels, more than the 80 megapixels"),
    ],
)
def test_a_picture_that_is_far_too_large_is_refused_before_it_is_decoded(
    width, height, message, tmp_path, recwarn
):
    with pytest.raises(UserError, match=rf"^a\.png: it has {message}"):
        read_image(ImageFile(png(tmp_path / "a.png", width, height)))
    assert not recwarn.list


def test_a_picture_that_is_all_length_is_refused_unless_it_is_brought_to_a_size(tmp_path):
    for number, (size, taken) in enumerate(
        {(1, 199): True, (1, 200): False, (900, 2): False}.items()
    ):
        source = ImageFile(tmp_path / f"{number}.png")
        Image.new("RGB", size).save(source.path)
        assert read_image(source, 28).size == (28, 28)
        if taken:
            assert read_image(source).size == size
        else:
            with pytest.raises(UserError, match=rf"is {size[0]} x {size[1]} pixels, one side 200"):
                read_image(source)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no picture",
        jpeg()[:500],
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(a) run\n",  # for another program to run
    ],
)
def test_what_is_no_whole_picture_is_refused(content, tmp_path):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(UserError, match=r"^a\.png is no readable image"):
        read_image(ImageFile(tmp_path / "a.png"))


def test_a_cell_holds_the_bytes_of_a_picture_or_the_path_to_one(tmp_path):
    Image.new("RGB", (2, 2)).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    rows = [
        {"image": {"bytes": whole, "path": "/etc/hostname"}},
        {"image": whole},
        {"image": {"bytes": None, "path": "a.png"}},
        {"image": {"bytes": None, "path": "/etc/hostname"}},
    ]
    cells = [StoredImage(rows, i, "image", (tmp_path,)) for i in range(len(rows))]
    assert [read_image(cell).size for cell in cells[:3]] == [(2, 2)] * 3
    with pytest.raises(UserError, match="lies outside the folder"):
        read_image(cells[3])
    with pytest.raises(UserError, match=r"'a\.png' is a path, but the data lies in no folder"):
        read_image(StoredImage(rows, 2, "image"))


def test_files_are_found_inside_their_folder_only(tmp_path):
    home, data = tmp_path / "home", tmp_path / "home" / "data"
    data.mkdir(parents=True)
    for path in (home / "a.png", data / "b.png", tmp_path / "secret.png"):
        path.write_bytes(b"")
    (data / "way.png").symlink_to(tmp_path / "secret.png")
    (data / "c.png").symlink_to(home / "a.png")
    folders = (home, data)
    assert inside(folders, "b.png") == data / "b.png"
    assert inside(folders, "c.png") == home / "a.png"  # a link that stays inside
    assert find_inside(folders, ("none.png", "data/b.png")) == "data/b.png"
    assert find_inside(folders, ("none.png", "nor.png")) == "none.png"
    for name in ("../secret.png", "way.png", "/etc/hostname", "data/way.png"):
        with pytest.raises(UserError, match="lies outside the folder"):
            inside(folders, name)
    for name in ("none.png", "", "a\0.png", "x" * 5000, "data"):
        with pytest.raises(UserError, match="does not exist in the folder"):
            inside(folders, name)
